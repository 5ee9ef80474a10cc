import type { TaskReport } from "../../domain/task";
import type { HostContext } from "../context";
import { machinePaths } from "../machinePaths";
import type { RunningQemu } from "../runningQemu";
import { MemoryReceiver } from "./memoryStream";
import { memorySent, sendingOver, watchMemory } from "./outgoingMemory";
import { openUserfaultfd } from "./userfaultfd";

/** As good as none: the guest's pages are copied before it changes them. */
const maxBandwidth = 2 ** 40;

export interface MemoryOut {
  /** Whether the guest goes on by itself while its memory is being written. */
  isLive: boolean;
  /** Begins to send; the guest must stand still. Resolves when it may go on: it does so by itself when `isLive`. */
  begin(): Promise<void>;
  /** Resolves when all of the memory is in the file. */
  done(): Promise<void>;
  /** To be called in any case. What was begun is waited for, or left to its end when QEMU doesn't answer: it can't be broken off. */
  close(): Promise<void>;
}

/**
 * Makes ready to write a guest's memory into a file. QEMU write-protects the pages and sends them while the guest runs on ("background-snapshot",
 * qapi/migration.json), where the host lets it; else the guest stands still until all is written.
 * @param wantsLive false for a guest that is paused and stays so
 */
export async function prepareMemoryOut(
  { settings, users }: HostContext,
  vm: { id: number; memoryBytes: number; wantsLive: boolean },
  qemu: RunningQemu,
  file: string,
  report: TaskReport,
): Promise<MemoryOut> {
  const socketPath = machinePaths(settings, vm.id).outgoing;
  // One that an agent before this one began.
  await sendingOver(qemu);
  // Until the memory is being sent: the guest stands still then, and is not to wait for other agents.
  const closeUserfaultfd = vm.wantsLive ? await openUserfaultfd(settings) : async () => {};
  let isLive = false;
  let receiver: MemoryReceiver;
  try {
    isLive = vm.wantsLive && (await watchMemory(qemu, true));
    if (!isLive) await watchMemory(qemu, false);
    if (vm.wantsLive && !isLive) {
      report.log("This host doesn't let QEMU watch the guest's memory: the guest stands still while it is written.");
    }
    await qemu.execute("migrate-set-parameters", { "max-bandwidth": maxBandwidth });
    receiver = await MemoryReceiver.listen(socketPath, users.userOf(vm.id), file);
  } catch (error) {
    await closeUserfaultfd();
    throw error;
  }
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
    isLive,
    begin: async () => {
      // It may have though it doesn't say so.
      hasBegun = true;
      await qemu.execute("migrate", { uri: `unix:${socketPath}` });
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
      if (!qemu.hasEnded) await watchMemory(qemu, false).catch(() => undefined);
    },
  };
}

function tell(report: TaskReport, doneBytes: number, memoryBytes: number): void {
  const transfer = { doneBytes, totalBytes: memoryBytes, bytesPerSecond: null };
  report.progress(20 + Math.min(70, (70 * doneBytes) / memoryBytes), "Writing the memory.", transfer);
}

function isDone(act: Promise<void>): Promise<boolean> {
  return act.then(
    () => true,
    () => false,
  );
}
