import { CumulusError } from "../../domain/errors";
import { MIB } from "../../domain/units";
import { failpoint } from "../../failpoints";
import { QmpError } from "../qmp/client";
import type { RunningQemu } from "../runningQemu";
import { betweenLooksBytes, copiedBytes, type MemoryOwner, onceBytes } from "./memoryBytes";
import { canLookAgain, endSending, followSending, holdMs, type Sending, untilReleasable } from "./outgoingMemory";

/** For how long a guest may be held for the last of its memory, in milliseconds, by how often what it had changed was sent: one that is quiet is held for less. */
const lastMs = [2, 2, 5, 10, 20, 40];
/** QEMU then looks what the guest has changed only when it holds it. */
const onceMs = [0];

/** How much is sent again, beyond once more what was sent first, before a guest is too busy for it. */
const againBytes = 256 * MIB;
/** What must stay free on the host's disk: this, and so many times what was sent between two looks at it. */
const spareBytes = 16 * MIB;
const looksAhead = 4;

export interface CopyWork {
  vm: MemoryOwner;
  socketPath: string;
  /** Of the disk that the memory is written to. */
  freeBytes(): Promise<number>;
  report(sending: Sending): void;
  /** Begins what is to be done now and then while the guest runs yet: what it waits for must not keep a guest that is held. */
  meanwhile(): void;
  signal: AbortSignal;
}

/**
 * Sends a guest's memory while it runs, then what it has changed meanwhile, and so on until the rest takes but a moment, whatever the memory's size; there
 * QEMU holds the guest. Of an emulated guest all that it changed is the rest. QEMU is to have been told to send by `copying`. Rejects with `conflict` when the guest turned itself off.
 * @returns false when the guest changes its memory faster than that, or the file or the host's disk has no room for it: nothing is sent any more then, and it runs
 */
export async function copyUntilHeld(qemu: RunningQemu, work: CopyWork): Promise<boolean> {
  assertGuestIsOn(qemu);
  const isHeld = await copy(qemu, work);
  assertGuestIsOn(qemu);
  if (isHeld) return true;
  await endSending(qemu);
  // It never went on.
  if ((await qemu.status()) === "postmigrate") await qemu.execute("cont", {}, holdMs);
  return false;
}

async function copy(qemu: RunningQemu, work: CopyWork): Promise<boolean> {
  const isEmulated = !(await canLookAgain(qemu));
  const limitsMs = isEmulated ? onceMs : lastMs;
  let limitMs: number | undefined;
  const allow = async (passes: number) => {
    const next = limitsMs[Math.min(passes, limitsMs.length - 1)];
    if (next === limitMs) return;
    limitMs = next;
    await qemu.execute("migrate-set-parameters", { "downtime-limit": limitMs });
  };
  await allow(0);
  const isAllSent = await begin(qemu, work.socketPath, isEmulated);
  // All that an emulated guest has changed comes when it is held, and nobody knows how much that is.
  const heldBytes = isEmulated && !isAllSent ? onceBytes(work.vm) : 0;
  failpoint("agent.snapshot.copying");
  let firstBytes: number | null = null;
  let beforeBytes = 0;
  let hasRoom = true;
  const { status } = await followSending(qemu, async (sending) => {
    const { passes, sentBytes } = sending;
    work.report(sending);
    work.signal.throwIfAborted();
    if (sending.isOver || qemu.isGuestOff) return true;
    const isHeld = sending.status === "pre-switchover";
    const comingBytes = isHeld ? heldBytes : looksAhead * (sentBytes - beforeBytes);
    beforeBytes = sentBytes;
    hasRoom =
      sentBytes <= copiedBytes(work.vm) - betweenLooksBytes &&
      (await work.freeBytes()) >= Math.max(spareBytes, comingBytes);
    if (isHeld || !hasRoom) return true;
    if (passes > 1) firstBytes ??= sentBytes;
    if (firstBytes !== null && sentBytes > 2 * firstBytes + againBytes) return true;
    await allow(passes);
    work.meanwhile();
    return false;
  });
  return status === "pre-switchover" && hasRoom;
}

/**
 * @param isEmulated the guest is to stand still also while QEMU begins to note what it changes
 * @returns whether all was sent before the guest could go on: it stands still, and has changed nothing
 */
async function begin(qemu: RunningQemu, socketPath: string, isEmulated: boolean): Promise<boolean> {
  if (isEmulated) await qemu.execute("stop", {}, holdMs);
  await qemu.execute("migrate", { uri: `unix:${socketPath}` });
  if (!isEmulated) return false;
  await followSending(qemu, ({ status }) => status !== "setup");
  try {
    await qemu.execute("cont", {}, holdMs);
    return false;
  } catch (error) {
    if (!(error instanceof QmpError && error.kind === "refused")) throw error;
    return true;
  }
}

/** Sends the rest of a guest's memory, which is held for it. Resolves when it may go on. */
export async function sendRest(qemu: RunningQemu): Promise<void> {
  await qemu.execute("migrate-continue", { state: "pre-switchover" }, holdMs);
  const { status } = await followSending(qemu, ({ isOver }) => isOver);
  if (status !== "completed")
    throw new CumulusError("internal", `QEMU gave up writing the guest's memory (${status}).`);
  await untilReleasable(qemu);
  assertGuestIsOn(qemu);
}

function assertGuestIsOn({ isGuestOff }: RunningQemu): void {
  if (isGuestOff) throw new CumulusError("conflict", "The guest turned itself off while its memory was copied.");
}
