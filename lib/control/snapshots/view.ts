import { and, asc, eq, inArray, isNotNull, isNull, sql } from "drizzle-orm";
import { operations } from "../../db/schema/operations";
import { snapshots, vms } from "../../db/schema/vms";
import type { Snapshot } from "../../domain/snapshot";
import type { SnapshotCost } from "../../domain/snapshotManifest";
import type { Context } from "../context";
import { openStatuses } from "../operations";
import { getVm } from "../vms/view";
import { currentSnapshots } from "./current";
import { isShown, type SnapshotRow, snapshotNotFound } from "./find";

/** Snapshots by VM, the oldest first; of one VM (also one that is gone) or of all. */
export function listSnapshots(context: Context, filter: { vmId?: number | undefined } = {}): Promise<Snapshot[]> {
  return readSnapshots(context, filter.vmId === undefined ? undefined : eq(snapshots.vmId, filter.vmId));
}

/** Those of a live VM. @throws `not_found` when there is no such VM */
export async function listSnapshotsOfVm(context: Context, vmId: number): Promise<Snapshot[]> {
  await getVm(context, vmId);
  return listSnapshots(context, { vmId });
}

/** @param vmId only as a snapshot of this VM @throws `not_found` */
export async function getSnapshot(context: Context, id: number, vmId?: number): Promise<Snapshot> {
  const ofVm = vmId === undefined ? undefined : eq(snapshots.vmId, vmId);
  const [snapshot] = await readSnapshots(context, and(eq(snapshots.id, id), ofVm));
  if (!snapshot) throw snapshotNotFound(id);
  return snapshot;
}

/** What a snapshot of a VM would take if it were taken now. */
export async function getSnapshotCost(context: Context, vmId: number): Promise<SnapshotCost> {
  const { id } = await getVm(context, vmId);
  return context.agent.snapshotCost(id);
}

const vmsByName = sql<
  Snapshot["vms"]
>`json_agg(json_build_object('id', ${vms.id}, 'name', ${vms.name}) order by ${vms.name})`;

async function readSnapshots(context: Context, condition: ReturnType<typeof and>): Promise<Snapshot[]> {
  const { db } = context;
  const rows = await db
    .select({ snapshot: snapshots, vm: { id: vms.id, name: vms.name, deletedAt: vms.deletedAt } })
    .from(snapshots)
    .innerJoin(vms, eq(vms.id, snapshots.vmId))
    .where(and(isShown, condition))
    .orderBy(asc(snapshots.vmId), asc(snapshots.createdAt), asc(snapshots.id));
  const made = await db
    .select({ snapshotId: vms.fromSnapshotId, vms: vmsByName })
    .from(vms)
    .where(and(isNull(vms.deletedAt), isNotNull(vms.fromSnapshotId)))
    .groupBy(vms.fromSnapshotId);
  const open = await db
    .select({ id: operations.id, snapshotId: sql<number | null>`(${operations.taskParams} ->> 'snapshotId')::int` })
    .from(operations)
    .where(and(inArray(operations.status, [...openStatuses]), sql`${operations.taskParams} ? 'snapshotId'`));
  const current = await currentSnapshots(db);
  const vmsMadeFrom = new Map(made.map((one) => [one.snapshotId, one.vms]));
  const operationIds = new Map(open.map(({ id, snapshotId }) => [snapshotId, id]));
  return rows.map(({ snapshot, vm }) => {
    const vmsMade = vmsMadeFrom.get(snapshot.id) ?? [];
    return {
      ...shownOf(snapshot),
      vm: { id: vm.id, name: vm.name, deleted: vm.deletedAt !== null },
      isCurrent: current.get(vm.id) === snapshot.id,
      vmCount: vmsMade.length,
      vms: vmsMade,
      operationId: operationIds.get(snapshot.id) ?? null,
    };
  });
}

function shownOf(row: SnapshotRow): Omit<Snapshot, "vm" | "isCurrent" | "vmCount" | "vms" | "operationId"> {
  const { id, name, note, origin, hasMemory, manifest, parentId, desired, createdAt } = row;
  return {
    id,
    name,
    note,
    status: desired === "deleted" ? "deleting" : manifest ? "available" : "creating",
    origin,
    hasMemory,
    hasGuestAgent: manifest?.hasGuestAgent ?? null,
    consistency: manifest?.consistency ?? null,
    pauseMs: manifest?.pauseMs ?? null,
    diskBytes: manifest?.diskBytes ?? null,
    // A manifest that was written by an older Cumulus has none.
    foldedBytes: manifest && (manifest.foldedBytes ?? 0),
    memoryBytes: manifest?.memoryBytes ?? null,
    virtualBytes: manifest?.virtualBytes ?? null,
    parentId,
    createdAt: createdAt.toISOString(),
  };
}
