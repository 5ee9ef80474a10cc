import { setTimeout as delay } from "node:timers/promises";
import { CumulusError, messageOf } from "../../domain/errors";
import type { Log } from "../../system/log";
import { type GuestAgent, GuestAgentError } from "../guest/guestAgent";
import type { RunningQemu } from "../runningQemu";
import { endSending, holdMs, isSendingMemory, isWatchingMemory, untilReleasable } from "./outgoingMemory";

const freezeMs = 5_000;
const thawMs = 5_000;
/** A guest whose file systems are frozen for longer than this is in trouble, whatever the snapshot is waiting for. */
const longestFreezeMs = 10_000;
const answersWithinMs = 60_000;
const tolerableMs = 2_000;
const againMs = 200;
/** Many a guest has no agent and is waited for as long as it runs. */
const awayMs = 1_000;

/**
 * Carries out an act with the guest's file systems frozen, if its agent answers and can. They are thawed when the act ends, or after a while in any case. An
 * agent of this host that ends meanwhile can't: that the guest may be frozen is to be on record before.
 * @param longestMs how long that while is
 * @returns what the act returned, and whether they were frozen throughout
 */
export async function withFrozenFileSystems<T>(
  agent: GuestAgent | null,
  log: Log,
  act: () => Promise<T>,
  longestMs = longestFreezeMs,
): Promise<{ value: T; wasFrozen: boolean }> {
  if (agent === null || !agent.isAlive || !(await freeze(agent, log))) return { value: await act(), wasFrozen: false };
  let thawing: Promise<void> | null = null;
  const thawOnce = () => {
    thawing ??= thaw(agent).catch((error: unknown) => {
      log.error({ error: messageOf(error) }, "the guest's file systems could not be thawed yet");
      void thawWhenAnswering(() => agent, answersWithinMs);
    });
    return thawing;
  };
  const timer = setTimeout(thawOnce, longestMs);
  try {
    const value = await act();
    return { value, wasFrozen: thawing === null };
  } finally {
    clearTimeout(timer);
    await thawOnce();
  }
}

async function freeze(agent: GuestAgent, log: Log): Promise<boolean> {
  try {
    return Number(await agent.ask("guest-fsfreeze-freeze", {}, freezeMs)) > 0;
  } catch (error) {
    log.info({ error: messageOf(error) }, "the guest's file systems can't be frozen");
    // It may have frozen some, or do it late.
    void thawWhenAnswering(() => agent, answersWithinMs);
    return false;
  }
}

async function thaw(agent: GuestAgent): Promise<void> {
  await agent.ask("guest-fsfreeze-thaw", {}, thawMs);
}

/**
 * Thaws a guest that is frozen, as soon as its agent answers.
 * @param agent null: the guest is off, or others have to do with it now
 * @param withinMs when it is given up
 * @returns whether the guest is known to be frozen no longer
 */
export async function thawWhenAnswering(
  agent: () => GuestAgent | null,
  withinMs = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  const deadlineMs = Date.now() + withinMs;
  for (let present = agent(); present !== null && Date.now() < deadlineMs; present = agent()) {
    if (present.isAlive) {
      if (!(await isFrozen(present))) return true;
      if (agent() === present && (await isDone(thaw(present)))) return true;
    }
    await delay(present.isAlive ? againMs : awayMs);
  }
  return false;
}

/** One that doesn't say may be. */
async function isFrozen(agent: GuestAgent): Promise<boolean> {
  try {
    return (await agent.ask("guest-fsfreeze-status", {}, thawMs)) !== "thawed";
  } catch (error) {
    // One that knows no such command has frozen nothing.
    return !(error instanceof GuestAgentError && error.kind === "refused");
  }
}

function isDone(act: Promise<void>): Promise<boolean> {
  return act.then(
    () => true,
    () => false,
  );
}

/** Sets the guest's clock to the host's, as soon as its agent answers. Rejects when it doesn't in time, or can't. */
export async function setGuestClock(agent: () => GuestAgent | null): Promise<void> {
  const deadlineMs = Date.now() + answersWithinMs;
  while (Date.now() < deadlineMs) {
    const present = agent();
    if (present === null) break;
    if (present.isAlive) return setTime(present);
    await delay(50);
  }
  throw new CumulusError("unavailable", "The guest's agent doesn't answer.");
}

/** In nanoseconds since 1970. The agent also sets the hardware's clock, which is right as it is; that may fail. */
async function setTime(agent: GuestAgent): Promise<void> {
  try {
    await agent.ask("guest-set-time", { time: Date.now() * 1e6 });
  } catch (error) {
    const offMs = Number(await agent.ask("guest-get-time", {})) / 1e6 - Date.now();
    if (Math.abs(offMs) > tolerableMs) throw error;
  }
}

/**
 * Lets a guest go on that was held, by an agent which is no more say. One whose memory QEMU watches while it sends it is left to that, which can't be broken off.
 * @returns false while it stands still for that: it may go on by itself, or is to be looked at again
 */
export async function releaseGuest(qemu: RunningQemu): Promise<boolean> {
  const isWatched = await isWatchingMemory(qemu);
  // One whose memory is being copied would be held at the end of that.
  if (!isWatched) await endSending(qemu);
  if ((await qemu.status()) === "running") return true;
  if (isWatched && (await isSendingMemory(qemu))) return false;
  await untilReleasable(qemu);
  const status = await qemu.status();
  if (status === "paused" || status === "postmigrate") await qemu.execute("cont", {}, holdMs);
  return true;
}
