import { rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { TaskReport } from "../../domain/task";
import { MIB } from "../../domain/units";
import type { HostContext } from "../context";
import { machinePaths } from "../machinePaths";
import type { RunningQemu } from "../runningQemu";
import { copyUntilHeld, sendRest } from "./memoryCopy";
import { MemoryReceiver } from "./memoryStream";
import { breakOffSending, chooseSending, memorySent, sendingOver } from "./outgoingMemory";
import { openUserfaultfd } from "./userfaultfd";

/** As good as none. */
const maxBandwidth = 2 ** 40;

/** What must stay free on the host's disk while memory is copied, which may take more than once its size. */
const spareBytes = 16 * MIB;

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
  vm: { id: number; memoryBytes: number };
  qemu: RunningQemu;
  file: string;
  report: TaskReport;
  signal: AbortSignal;
}

/**
 * Makes ready to write the memory of a guest that runs into a file. It is copied while the guest runs, which is held for a moment at the end, whatever its memory's size. Of a guest that changes it faster
 * than it is copied, or where there is no room for that, QEMU protects all pages while it is held, and sends them while it runs on, where the host lets it; else such a guest stands still until all is written.
 * @param meanwhile begins what is to be done now and then while it is copied
 */
export async function prepareLiveMemoryOut(
  context: HostContext,
  work: MemoryWork,
  meanwhile: () => void,
): Promise<MemoryOut> {
  const copied = await copyAhead(context, work, meanwhile);
  if (copied !== null) return copied;
  const { qemu, report } = work;
  report.log(
    "The guest's memory changes faster than it can be copied, or the disk is too full: the guest is held longer.",
  );
  // Until the memory is being sent: the guest stands still then, and is not to wait for other agents.
  const closeUserfaultfd = await openUserfaultfd(context.settings);
  try {
    const isLive = await chooseSending(qemu, "watching");
    if (isLive) return await sendAfterHold(context, work, { isLive, closeUserfaultfd });
    report.log("This host doesn't let QEMU watch the guest's memory: the guest stands still while it is written.");
  } catch (error) {
    await closeUserfaultfd();
    throw error;
  }
  await closeUserfaultfd();
  return prepareMemoryOut(context, work);
}

/** Makes ready to write the memory of a guest that stands still. */
export async function prepareMemoryOut(context: HostContext, work: MemoryWork): Promise<MemoryOut> {
  // One that an agent before this one began.
  await sendingOver(work.qemu);
  await chooseSending(work.qemu, "standing");
  return sendAfterHold(context, work, { isLive: false, closeUserfaultfd: async () => {} });
}

/** @returns null when the guest changes its memory too fast */
async function copyAhead(context: HostContext, work: MemoryWork, meanwhile: () => void): Promise<MemoryOut | null> {
  const { vm, qemu, file, report, signal } = work;
  // One that an agent before this one began.
  await sendingOver(qemu);
  await chooseSending(qemu, "copying");
  const receiver = await listen(context, work);
  const close = async () => {
    const isOver = await isDone(breakOffSending(qemu));
    await receiver.close({ isNeeded: !isOver });
    if (!qemu.hasEnded) await chooseSending(qemu, "standing").catch(() => undefined);
  };
  try {
    const isHeld = await copyUntilHeld(qemu, {
      socketPath: machinePaths(context.settings, vm.id).outgoing,
      hasRoom: async () => (await freeBytes(dirname(file))) > spareBytes,
      report: ({ totalBytes, remainingBytes }) => tell(report, totalBytes - remainingBytes, vm.memoryBytes),
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
  await rm(file);
  return null;
}

/** @param closeUserfaultfd called when QEMU needs it no more */
async function sendAfterHold(
  context: HostContext,
  work: MemoryWork,
  { isLive, closeUserfaultfd }: { isLive: boolean; closeUserfaultfd(): Promise<void> },
): Promise<MemoryOut> {
  const { vm, qemu, report } = work;
  const receiver = await listen(context, work);
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

async function listen({ settings, users }: HostContext, { vm, qemu, file }: MemoryWork): Promise<MemoryReceiver> {
  await qemu.execute("migrate-set-parameters", { "max-bandwidth": maxBandwidth });
  return MemoryReceiver.listen(machinePaths(settings, vm.id).outgoing, users.userOf(vm.id), file);
}

function tell(report: TaskReport, doneBytes: number, memoryBytes: number): void {
  const transfer = { doneBytes, totalBytes: memoryBytes, bytesPerSecond: null };
  report.progress(20 + Math.min(70, (70 * doneBytes) / memoryBytes), "Writing the memory.", transfer);
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
