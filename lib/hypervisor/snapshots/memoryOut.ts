import { rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { TaskReport } from "../../domain/task";
import type { HostContext } from "../context";
import { machinePaths } from "../machinePaths";
import type { RunningQemu } from "../runningQemu";
import { copiedBytes, type MemoryOwner, onceBytes } from "./memoryBytes";
import { copyUntilHeld, sendRest } from "./memoryCopy";
import { MemoryReceiver, type ReceiverLimits } from "./memoryStream";
import { chooseSending, endSending, memorySent, sendingOver, untilReleasable } from "./outgoingMemory";
import { assertRoom } from "./room";
import { allocatedBytes } from "./snapshotStore";
import { openUserfaultfd } from "./userfaultfd";

/** As good as none. */
const maxBandwidth = 2 ** 40;

export interface MemoryOut {
  /** The guest stands still already: almost all of its memory has been sent. */
  isHolding: boolean;
  /** Whether the guest goes on by itself while its memory is being written. */
  isLive: boolean;
  /** Begins to send what is to be sent yet; the guest must stand still. Resolves when it may go on: it does so by itself when `isLive`. */
  begin(): Promise<void>;
  /** Resolves when all of the memory is in the file. */
  done(): Promise<void>;
  /** To be called in any case. What can't be broken off is waited for, or left to its end when QEMU doesn't answer. */
  close(): Promise<void>;
}

export interface MemoryWork {
  vm: MemoryOwner & { id: number };
  qemu: RunningQemu;
  file: string;
  report: TaskReport;
  signal: AbortSignal;
}

/**
 * Makes ready to write the memory of a guest that runs into a file. QEMU protects all pages while the guest is held, and sends them while it runs on. That holds it the longer, the more memory
 * it has: much memory is copied while the guest runs, and so is any where the host doesn't let QEMU protect it. If it can't be copied either, the guest stands still until all is written.
 * @param meanwhile begins what is to be done now and then while it is copied
 */
export async function prepareLiveMemoryOut(
  context: HostContext,
  work: MemoryWork,
  meanwhile: () => void,
): Promise<MemoryOut> {
  const copied = () => copyAhead(context, work, meanwhile);
  const watched = () => watch(context, work);
  const isLarge = work.vm.memoryBytes > context.copiesMemoryAboveBytes;
  const out = isLarge ? ((await copied()) ?? (await watched())) : ((await watched()) ?? (await copied()));
  if (out !== null) return out;
  work.report.log("The guest stands still until its memory is written.");
  return prepareMemoryOut(context, work);
}

/** Makes ready to write the memory of a guest that stands still. */
export async function prepareMemoryOut(context: HostContext, work: MemoryWork): Promise<MemoryOut> {
  await endSending(work.qemu);
  await chooseSending(work.qemu, "standing");
  return sendAfterHold(context, work, { isLive: false, closeUserfaultfd: async () => {} });
}

/** @returns null when the host doesn't let QEMU watch memory */
async function watch(context: HostContext, work: MemoryWork): Promise<MemoryOut | null> {
  // One that an agent before this one began.
  await endSending(work.qemu);
  // Until the memory is being sent: the guest stands still then, and is not to wait for other agents.
  const closeUserfaultfd = await openUserfaultfd(context.settings);
  try {
    const isLive = await chooseSending(work.qemu, "watching");
    if (isLive) return await sendAfterHold(context, work, { isLive, closeUserfaultfd });
  } catch (error) {
    await closeUserfaultfd();
    throw error;
  }
  await closeUserfaultfd();
  work.report.log("This host doesn't let QEMU watch the guest's memory.");
  return null;
}

/** @returns null when the guest changes its memory too fast, or there is no room to copy it. Rejects with `insufficient_capacity` when there is none to write it in another way. */
async function copyAhead(context: HostContext, work: MemoryWork, meanwhile: () => void): Promise<MemoryOut | null> {
  const { vm, qemu, file, report, signal } = work;
  await endSending(qemu);
  await chooseSending(qemu, "copying");
  const receiver = await listen(context, work, { mayBreakOff: true, mostBytes: copiedBytes(vm) });
  const close = async () => {
    const isOver = await isDone(endSending(qemu));
    await receiver.close({ isNeeded: !isOver });
    if (!qemu.hasEnded) await chooseSending(qemu, "standing").catch(() => undefined);
  };
  let toldBytes = 0;
  try {
    const isHeld = await copyUntilHeld(qemu, {
      vm,
      socketPath: machinePaths(context.settings, vm.id).outgoing,
      freeBytes: () => freeBytes(dirname(file)),
      report: ({ totalBytes, remainingBytes }) => {
        toldBytes = Math.max(toldBytes, totalBytes - remainingBytes);
        tell(report, toldBytes, vm.memoryBytes);
      },
      meanwhile,
      signal,
    });
    if (isHeld) {
      return { isHolding: true, isLive: false, begin: () => sendRest(qemu), done: () => receiver.done(), close };
    }
  } catch (error) {
    await close();
    throw error;
  }
  await close();
  // What comes instead may need its room.
  await receiver.ended;
  // Another way needs as much room as a copy at first, and might hold the guest for nothing. What goes may be free only later.
  await assertRoom(context.settings, onceBytes(vm) - (await allocatedBytes(file)));
  await rm(file);
  report.log("The guest's memory changes faster than it can be copied, or the host's disk has no room for that.");
  return null;
}

/** @param closeUserfaultfd called when QEMU needs it no more */
async function sendAfterHold(
  context: HostContext,
  work: MemoryWork,
  { isLive, closeUserfaultfd }: { isLive: boolean; closeUserfaultfd(): Promise<void> },
): Promise<MemoryOut> {
  const { vm, qemu, report } = work;
  const receiver = await listen(context, work, { mayBreakOff: false, mostBytes: onceBytes(vm) });
  const resumed = new Promise<void>((resolve) => {
    const stop = qemu.onEvents(({ name }) => {
      if (name !== "RESUME") return;
      stop();
      resolve();
    });
  });
  let hasBegun = false;
  const sent = () => memorySent(qemu, (doneBytes) => tell(report, doneBytes, vm.memoryBytes));
  return {
    isHolding: false,
    isLive,
    begin: async () => {
      // It may have though it doesn't say so.
      hasBegun = true;
      await qemu.execute("migrate", { uri: `unix:${machinePaths(context.settings, vm.id).outgoing}` });
      // QEMU has protected the pages, and let the guest go on.
      await (isLive ? Promise.race([resumed, sent()]) : sent());
      if (!isLive) await untilReleasable(qemu);
    },
    done: async () => {
      await closeUserfaultfd();
      await sent();
      await receiver.done();
    },
    close: async () => {
      await closeUserfaultfd();
      const isOver = !hasBegun || (await isDone(sendingOver(qemu)));
      await receiver.close({ isNeeded: !isOver });
      if (!qemu.hasEnded) await chooseSending(qemu, "standing").catch(() => undefined);
    },
  };
}

async function listen(
  { settings, users }: HostContext,
  { vm, qemu, file }: MemoryWork,
  limits: ReceiverLimits,
): Promise<MemoryReceiver> {
  await qemu.execute("migrate-set-parameters", { "max-bandwidth": maxBandwidth });
  return MemoryReceiver.listen(machinePaths(settings, vm.id).outgoing, users.userOf(vm.id), file, limits);
}

function tell(report: TaskReport, doneBytes: number, memoryBytes: number): void {
  // There is some memory that is the machine's own.
  const ofGuest = Math.min(doneBytes, memoryBytes);
  const transfer = { doneBytes: ofGuest, totalBytes: memoryBytes, bytesPerSecond: null };
  report.progress(20 + (70 * ofGuest) / memoryBytes, "Writing the memory.", transfer);
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function isDone(act: Promise<void>): Promise<boolean> {
  return act.then(
    () => true,
    () => false,
  );
}
