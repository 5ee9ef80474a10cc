import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { CumulusError } from "../../domain/errors";
import type { TaskReport } from "../../domain/task";
import type { HostContext } from "../context";
import { machinePaths } from "../machinePaths";
import { QmpError } from "../qmp/client";
import type { RunningQemu } from "../runningQemu";
import { MemoryReceiver } from "./memoryStream";
import { openUserfaultfd } from "./userfaultfd";

const capabilitiesMs = 5_000;
const pollMs = 100;
/** As good as none: the guest's pages are copied before it changes them. */
const maxBandwidth = 2 ** 40;

export interface MemoryOut {
  /** Whether the guest goes on by itself while its memory is being written. */
  isLive: boolean;
  /** Begins to send; the guest must stand still. Resolves when it may go on: it does so by itself when `isLive`. */
  begin(): Promise<void>;
  /** Resolves when all of the memory is in the file. */
  done(): Promise<void>;
  /** To be called in any case. What was begun is waited for: it can't be broken off. */
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
  await migrationEnded(qemu, () => {});
  // Until the memory is being sent: the guest stands still then, and is not to wait for other agents.
  const closeUserfaultfd = vm.wantsLive ? await openUserfaultfd(settings) : async () => {};
  let isLive = false;
  let receiver: MemoryReceiver;
  try {
    isLive = vm.wantsLive && (await setBackground(qemu, true));
    if (!isLive) await setBackground(qemu, false);
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
  const ended = () => migrationEnded(qemu, (doneBytes) => tell(report, doneBytes, vm.memoryBytes));
  return {
    isLive,
    begin: async () => {
      await qemu.execute("migrate", { uri: `unix:${socketPath}` });
      hasBegun = true;
      // QEMU has protected the pages, and let the guest go on.
      await (isLive ? Promise.race([resumed, ended()]) : ended());
    },
    done: async () => {
      await closeUserfaultfd();
      await ended();
      await receiver.done();
    },
    close: async () => {
      await closeUserfaultfd();
      if (hasBegun && !qemu.hasEnded) await ended().catch(() => undefined);
      await receiver.close();
      if (!qemu.hasEnded) await setBackground(qemu, false).catch(() => undefined);
    },
  };
}

/** Answers whether QEMU has taken it. */
async function setBackground(qemu: RunningQemu, state: boolean): Promise<boolean> {
  const capabilities = [{ capability: "background-snapshot", state }];
  try {
    await qemu.execute("migrate-set-capabilities", { capabilities }, capabilitiesMs);
    return true;
  } catch (error) {
    if (state && error instanceof QmpError && error.kind === "refused") return false;
    throw error;
  }
}

const migrationSchema = z.object({
  status: z.string().optional(),
  "error-desc": z.string().optional(),
  ram: z.object({ transferred: z.number() }).optional(),
});
const endings = new Set(["none", "completed", "failed", "cancelled"]);

/** Resolves when no memory is being sent any more. Rejects when that failed, or QEMU is gone. */
async function migrationEnded(qemu: RunningQemu, onBytes: (bytes: number) => void): Promise<void> {
  for (;;) {
    if (qemu.hasEnded) throw new CumulusError("conflict", "The VM's QEMU ended while its memory was written.");
    const { status = "none", ram, ...rest } = migrationSchema.parse(await qemu.execute("query-migrate"));
    onBytes(ram?.transferred ?? 0);
    if (endings.has(status)) {
      if (status !== "failed") return;
      throw new CumulusError("internal", `QEMU gave up writing the guest's memory. ${rest["error-desc"] ?? ""}`);
    }
    await delay(pollMs);
  }
}

function tell(report: TaskReport, doneBytes: number, memoryBytes: number): void {
  const transfer = { doneBytes, totalBytes: memoryBytes, bytesPerSecond: null };
  report.progress(20 + Math.min(70, (70 * doneBytes) / memoryBytes), "Writing the memory.", transfer);
}
