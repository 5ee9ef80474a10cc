import { z } from "zod";
import { RestoreNotUndone } from "../../domain/restoreNotUndone";
import type { SnapshotManifest } from "../../domain/snapshotManifest";
import type { TaskReport } from "../../domain/task";
import { TaskSuspended } from "../../domain/taskSuspended";
import { type TaskCall, taskKind } from "./kind";

const id = z.number().int().positive();

/** Takes a snapshot of a VM. @returns its manifest */
export const snapshotTake = taskKind({
  params: z.object({ vmId: id, snapshotId: id, memory: z.boolean(), freeze: z.boolean() }),
  run: ({ vmId, ...ask }, { hypervisor, operationId, report, signal }) =>
    hypervisor.takeSnapshot(vmId, { ...ask, operationId }, report, signal),
});

const restoreParams = z.object({
  vmId: id,
  snapshotId: id,
  /** A snapshot of what is replaced, taken first: it stays only when the restore is done, or neither done nor undone. */
  safety: z.object({ snapshotId: id, memory: z.boolean() }).nullable(),
});
type RestoreParams = z.infer<typeof restoreParams>;

/** Puts a VM back to a snapshot. */
export const snapshotRestore = taskKind({
  params: restoreParams,
  run: async (params, call): Promise<{ safety: SnapshotManifest | null }> => {
    const { hypervisor, operationId, report, signal } = call;
    const safety = await takeSafety(params, call);
    try {
      const rest = safety ? partOf(report, 50, 100) : report;
      await hypervisor.restoreSnapshot(params.vmId, { snapshotId: params.snapshotId, operationId }, rest, signal);
    } catch (error) {
      const goesOnLater = signal.aborted && signal.reason instanceof TaskSuspended;
      // What the VM had is then in the safety snapshot.
      const isNeeded = goesOnLater || error instanceof RestoreNotUndone;
      if (safety && !isNeeded) await hypervisor.removeSnapshot(safety.id);
      throw error;
    }
    return { safety };
  },
});

async function takeSafety({ vmId, safety }: RestoreParams, { hypervisor, operationId, report, signal }: TaskCall) {
  if (!safety) return null;
  const ask = { ...safety, operationId, freeze: true };
  return hypervisor.takeSnapshot(vmId, ask, partOf(report, 0, 50), signal);
}

/** Removes a snapshot. */
export const snapshotRemove = taskKind({
  params: z.object({ snapshotId: id }),
  run: async ({ snapshotId }, { hypervisor }) => hypervisor.removeSnapshot(snapshotId),
});

/** A report on a part of a task: 0–100 of it are these percents of the whole. */
function partOf(report: TaskReport, from: number, to: number): TaskReport {
  return {
    log: report.log,
    progress: (percent, message, transfer) => report.progress(from + (percent * (to - from)) / 100, message, transfer),
  };
}
