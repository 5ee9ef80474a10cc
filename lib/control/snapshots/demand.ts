import { and, eq, inArray, isNull } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { operations } from "../../db/schema/operations";
import { snapshots } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import { type SnapshotAction, snapshotActionStatuses, whyNoSnapshotAct } from "../../domain/snapshotActions";
import { openStatuses } from "../operations";
import { statusOf, type VmRow } from "../vms/view";

/**
 * Refuses an act on a VM whose state doesn't allow it.
 * @throws `wrong_state` naming the states that do, `conflict` while the VM is being restored
 */
export async function demandSnapshotAct(tx: Queryable, vm: VmRow, action: SnapshotAction): Promise<void> {
  await refuseWhileRestored(tx, vm);
  const reason = whyNoSnapshotAct(action, statusOf(vm, Date.now()));
  if (reason) throw new CumulusError("wrong_state", reason, { allowed: [...snapshotActionStatuses[action]] });
}

/** @throws `conflict` */
export async function refuseWhileRestored(tx: Queryable, vm: VmRow): Promise<void> {
  if (!(await isBeingRestored(tx, vm.id))) return;
  throw new CumulusError("conflict", `${vm.name} is being restored. Wait until that is done, or cancel it.`);
}

/** Whether a host is putting a VM back to a snapshot, or is to. */
export async function isBeingRestored(db: Queryable, vmId: number): Promise<boolean> {
  const isOpen = inArray(operations.status, [...openStatuses]);
  const [open] = await db
    .select({ id: operations.id })
    .from(operations)
    .where(and(eq(operations.vmId, vmId), eq(operations.kind, "snapshot-restore"), isOpen))
    .limit(1);
  return open !== undefined;
}

/** Whether a host is taking a snapshot, or is to. */
export async function isBeingTaken(db: Queryable, snapshotId: number): Promise<boolean> {
  const [row] = await db
    .select({ id: snapshots.id })
    .from(snapshots)
    .where(and(eq(snapshots.id, snapshotId), isNull(snapshots.manifest), isNull(snapshots.deletedAt)));
  return row !== undefined;
}
