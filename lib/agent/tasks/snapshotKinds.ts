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
  run: ({ vmId, ...ask }, call) => {
    const { hypervisor, operationId, report, signal } = call;
    return orRemoved(ask.snapshotId, call, () =>
      hypervisor.takeSnapshot(vmId, { ...ask, operationId }, report, signal),
    );
  },
});

const restoreParams = z.object({
  vmId: id,
  snapshotId: id,
  /** Whether the guest goes on with the memory; tasks of an agent before this one may not say. */
  memory: z.boolean().default(true),
  /** A snapshot of what is replaced, taken first: it stays when the restore is done, and where it alone holds what the VM had. */
  safety: z.object({ snapshotId: id, memory: z.boolean() }).nullable(),
});

/** Puts a VM back to a snapshot. */
export const snapshotRestore = taskKind({
  params: restoreParams,
  run: async (params, call): Promise<{ safety: SnapshotManifest | null; clockProblem: string | null }> => {
    const { hypervisor, operationId, report, signal } = call;
    const { vmId, snapshotId, memory, safety } = params;
    const asked = { snapshotId, operationId, memory };
    if (safety === null) {
      const { clockProblem } = await hypervisor.restoreSnapshot(vmId, asked, report, signal);
      return { safety, clockProblem };
    }
    const restored = async () => {
      // Before the guest is held for a snapshot that nothing would come of.
      await hypervisor.assertRestorable(vmId, asked);
      const ask = { ...safety, operationId, freeze: true };
      const taken = await hypervisor.takeSnapshot(vmId, ask, partOf(report, 0, 50), signal);
      const { clockProblem } = await hypervisor.restoreSnapshot(vmId, asked, partOf(report, 50, 100), signal);
      return { safety: taken, clockProblem };
    };
    // What the VM had is then in the safety snapshot alone.
    const isNeeded = async (error: unknown) =>
      error instanceof RestoreNotUndone || hypervisor.holdsEndedGuest(safety.snapshotId);
    return orRemoved(safety.snapshotId, call, restored, isNeeded);
  },
});

/**
 * Carries out an act that takes a snapshot. When it fails for good the snapshot goes, which may have been whole already, also when an agent before
 * this one took it: nobody else knows of it.
 * @param isNeeded whether it stays all the same
 */
async function orRemoved<T>(
  snapshotId: number,
  { hypervisor, signal }: TaskCall,
  act: () => Promise<T>,
  isNeeded: (error: unknown) => Promise<boolean> = async () => false,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const goesOnLater = signal.aborted && signal.reason instanceof TaskSuspended;
    if (!goesOnLater && !(await isNeeded(error))) await hypervisor.removeSnapshot(snapshotId);
    throw error;
  }
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
