import { MIB } from "../../domain/units";
import { failpoint } from "../../failpoints";
import type { RunningQemu } from "../runningQemu";
import { breakOffSending, followSending, type Sending, untilReleasable } from "./outgoingMemory";

/** For how long a guest may be held for the last of its memory, in milliseconds, by how often what it had changed was sent: one that is quiet is held for less. */
const lastMs = [2, 2, 5, 10, 20, 40] as const;

/** How much is sent again, beyond once more what was sent first, before a guest is too busy for it. */
const spareBytes = 256 * MIB;

export interface CopyWork {
  socketPath: string;
  /** Whether the host's disk has room for more. */
  hasRoom(): Promise<boolean>;
  report(sending: Sending): void;
  /** Begins what is to be done now and then while the guest runs yet: what it waits for must not keep a guest that is held. */
  meanwhile(): void;
  signal: AbortSignal;
}

/**
 * Sends a guest's memory while it runs, then what it has changed meanwhile, and so on until the rest takes but a moment, whatever the memory's size; there
 * QEMU holds the guest. QEMU is to have been told to send by `copying`.
 * @returns false when the guest changes its memory faster than that, or the host's disk is too full for it: nothing is sent any more then, and it runs
 */
export async function copyUntilHeld(qemu: RunningQemu, work: CopyWork): Promise<boolean> {
  let limitMs: number | null = null;
  let firstBytes: number | null = null;
  let isHeld = false;
  const allow = async (passes: number) => {
    const next = lastMs[Math.min(passes, lastMs.length - 1)] ?? null;
    if (next === limitMs) return;
    limitMs = next;
    await qemu.execute("migrate-set-parameters", { "downtime-limit": limitMs });
  };
  await allow(0);
  await qemu.execute("migrate", { uri: `unix:${work.socketPath}` });
  failpoint("agent.snapshot.copying");
  await followSending(qemu, async (sending) => {
    work.report(sending);
    if (sending.isOver || !(await work.hasRoom())) return true;
    if (sending.status === "pre-switchover") isHeld = true;
    if (isHeld) return true;
    work.signal.throwIfAborted();
    if (sending.passes > 1) firstBytes ??= sending.sentBytes;
    if (firstBytes !== null && sending.sentBytes > 2 * firstBytes + spareBytes) return true;
    await allow(sending.passes);
    work.meanwhile();
    return false;
  });
  if (!isHeld) await breakOffSending(qemu);
  return isHeld;
}

/** Sends the rest of a guest's memory, which is held for it. Resolves when it may go on. */
export async function sendRest(qemu: RunningQemu): Promise<void> {
  await qemu.execute("migrate-continue", { state: "pre-switchover" });
  await followSending(qemu, ({ isOver }) => isOver);
  await untilReleasable(qemu);
}
