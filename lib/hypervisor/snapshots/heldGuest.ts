import { setTimeout as delay } from "node:timers/promises";
import { CumulusError, messageOf } from "../../domain/errors";
import type { Log } from "../../system/log";
import type { GuestAgent } from "../guest/guestAgent";
import type { RunningQemu } from "../runningQemu";

const freezeMs = 5_000;
const thawMs = 5_000;
/** A guest whose file systems are frozen for longer than this is in trouble, whatever the snapshot is waiting for. */
const longestFreezeMs = 10_000;
const answersWithinMs = 60_000;
const tolerableMs = 2_000;

/**
 * Carries out an act with the guest's file systems frozen, if its agent answers and can. They are thawed when the act ends, or after a while in any case.
 * @returns what the act returned, and whether they were frozen throughout
 */
export async function withFrozenFileSystems<T>(
  agent: GuestAgent | null,
  log: Log,
  act: () => Promise<T>,
): Promise<{ value: T; wasFrozen: boolean }> {
  if (agent === null || !agent.isAlive || !(await freeze(agent, log))) return { value: await act(), wasFrozen: false };
  let thawing: Promise<void> | null = null;
  const thawOnce = () => {
    thawing ??= thaw(agent).catch((error: unknown) => {
      log.error({ error: messageOf(error) }, "the guest's file systems could not be thawed");
    });
    return thawing;
  };
  const timer = setTimeout(thawOnce, longestFreezeMs);
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
    void thawWhenAnswering(() => agent).catch(() => undefined);
    return false;
  }
}

async function thaw(agent: GuestAgent): Promise<void> {
  await agent.ask("guest-fsfreeze-thaw", {}, thawMs);
}

/** Thaws as soon as the guest's agent answers; gives up quietly when it doesn't. */
export async function thawWhenAnswering(agent: () => GuestAgent | null): Promise<void> {
  const deadlineMs = Date.now() + answersWithinMs;
  while (Date.now() < deadlineMs) {
    const present = agent();
    if (present === null) return;
    if (present.isAlive) return thaw(present).catch(() => undefined);
    await delay(200);
  }
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
  throw new CumulusError("unavailable", "The guest's agent doesn't answer, so the guest's clock could not be set.");
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

/** Lets a guest go on that an agent which is no more held. A guest that runs while its memory is sent away is left to it: that can't be broken off. */
export async function releaseGuest(qemu: RunningQemu): Promise<void> {
  if ((await qemu.status()) === "running") return;
  await qemu.execute("migrate_cancel").catch(() => undefined);
  const status = await qemu.status();
  if (status === "paused" || status === "postmigrate" || status === "finish-migrate") await qemu.execute("cont");
}
