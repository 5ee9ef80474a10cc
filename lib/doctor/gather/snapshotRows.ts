import { and, eq, isNotNull, isNull } from "drizzle-orm";
import { z } from "zod";
import type { Queryable } from "../../db/client";
import { backups } from "../../db/schema/backups";
import type { operations } from "../../db/schema/operations";
import { snapshots, vms } from "../../db/schema/vms";
import type { SnapshotRowFact, StrandedBackupFact } from "../snapshot";

type OpenOperation = Pick<typeof operations.$inferSelect, "id" | "taskParams">;

const paramsSchema = z.object({
  snapshotId: z.number().optional(),
  safety: z.object({ snapshotId: z.number() }).nullish(),
});

/** Every snapshot that isn't deleted, also those that stand for a moment between a VM and its clone. */
export async function gatherSnapshotRows(tx: Queryable, open: readonly OpenOperation[]): Promise<SnapshotRowFact[]> {
  const underWay = new Set(open.flatMap(({ taskParams }) => snapshotsIn(taskParams)));
  const rows = await tx
    .select({ snapshot: snapshots, vmName: vms.name })
    .from(snapshots)
    .innerJoin(vms, eq(vms.id, snapshots.vmId))
    .where(isNull(snapshots.deletedAt));
  return rows.map(({ snapshot: { id, name }, vmName }) => ({ id, name, vmName, isUnderWay: underWay.has(id) }));
}

function snapshotsIn(params: OpenOperation["taskParams"]): number[] {
  const { snapshotId, safety } = paramsSchema.safeParse(params).data ?? {};
  return [snapshotId, safety?.snapshotId].filter((id) => id !== undefined);
}

/** Backups of deleted snapshots that are neither done nor failed, and that no open operation copies. */
export async function gatherStrandedBackups(
  tx: Queryable,
  open: readonly OpenOperation[],
): Promise<StrandedBackupFact[]> {
  const openIds = new Set(open.map(({ id }) => id));
  const rows = await tx
    .select({ backup: backups, deletedAt: snapshots.deletedAt, vmName: vms.name })
    .from(backups)
    .innerJoin(snapshots, and(eq(snapshots.id, backups.snapshotId), isNotNull(snapshots.deletedAt)))
    .innerJoin(vms, eq(vms.id, backups.vmId))
    .where(and(isNull(backups.removedAt), isNull(backups.error), isNull(backups.copy)));
  return rows
    .filter(({ backup: { copyOperationId } }) => copyOperationId === null || !openIds.has(copyOperationId))
    .map(({ backup: { id, snapshotId }, deletedAt, vmName }) => ({
      ...{ id, vmName, snapshotId },
      snapshotDeletedAtMs: deletedAt?.getTime() ?? 0,
    }));
}
