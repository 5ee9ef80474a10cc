import { and, eq, inArray, isNull, ne, type SQL, sql } from "drizzle-orm";
import type { AnyPgColumn } from "drizzle-orm/pg-core";
import type { Queryable } from "../../db/client";
import { operations } from "../../db/schema/operations";
import { snapshots, vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import type { Operation } from "../../domain/operation";
import { failpoint } from "../../failpoints";
import { announce } from "../changes";
import type { Actor, Context } from "../context";
import { actorName, getOperation, type OperationRow, openStatuses } from "../operations";
import { requestTask } from "../tasks/request";
import { isShown, lockSnapshot, type SnapshotRow } from "./find";

/**
 * Asks for a snapshot to be gone; what others need of its layers stays. Asked again while it is going, finds the same operation.
 * @throws `not_found`, `wrong_state` while it is being taken, `conflict` while its VM is being restored to it or a new one is to start from it
 */
export async function deleteSnapshot(context: Context, actor: Actor, id: number): Promise<Operation> {
  const operation = await context.db.transaction(async (tx) => {
    const snapshot = await lockSnapshot(tx, id);
    await refuseWhileInUse(tx, snapshot);
    return requestSnapshotRemoval(tx, actor, snapshot);
  });
  failpoint("snapshot-remove.committed");
  return getOperation(context, operation.id);
}

/** Writes down that a snapshot that was taken is to be gone, in the caller's transaction. */
export async function requestSnapshotRemoval(
  tx: Queryable,
  actor: Actor,
  snapshot: SnapshotRow,
): Promise<OperationRow> {
  const { id, vmId, name } = snapshot;
  await wantDeleted(tx, snapshot);
  return requestTask(tx, {
    kind: "snapshot-remove",
    taskKind: "snapshot-remove",
    params: { snapshotId: id },
    actor: actorName(actor),
    vmId,
    subject: snapshot.origin === "clone" ? "what a clone was made from" : name,
    dedupKey: `snapshot-remove:${id}`,
  });
}

/** Which snapshots could not be removed within the last ten minutes: what tries by itself leaves them alone so long. */
export function couldNotBeRemoved(snapshotId: AnyPgColumn): SQL {
  return sql`exists (select from ${operations} where ${operations.kind} = 'snapshot-remove'
    and ${operations.dedupKey} = 'snapshot-remove:' || ${snapshotId} and ${operations.finishedAt} > now() - interval '10 minutes')`;
}

/**
 * All that are left of a VM, in the transaction that destroys it. One that is still being taken goes when it is there.
 * @throws `conflict` while a new VM is to start from one of them
 */
export async function requestRemovalOfAll(tx: Queryable, actor: Actor, vmId: number): Promise<void> {
  const rows = await tx
    .select()
    .from(snapshots)
    .where(and(eq(snapshots.vmId, vmId), isShown))
    .for("update");
  for (const row of rows) {
    const why = await whyAwaited(tx, row, ne(vms.desired, "deleted"));
    if (why !== null) throw new CumulusError("conflict", why);
    if (row.manifest) await requestSnapshotRemoval(tx, actor, row);
    else await wantDeleted(tx, row);
  }
}

async function wantDeleted(tx: Queryable, { id, vmId }: SnapshotRow): Promise<void> {
  await tx.update(snapshots).set({ desired: "deleted" }).where(eq(snapshots.id, id));
  await announce(tx, { kind: "snapshot", id, vmId });
}

/** Which live VMs were made from a snapshot and don't have their disk yet. */
export function isYetToStartFrom(snapshotId: number | AnyPgColumn): SQL | undefined {
  return and(eq(vms.fromSnapshotId, snapshotId), isNull(vms.deletedAt), sql`not ${vms.milestones} ? 'disk'`);
}

async function refuseWhileInUse(tx: Queryable, snapshot: SnapshotRow): Promise<void> {
  if (snapshot.manifest === null) {
    throw new CumulusError("wrong_state", `The snapshot ${snapshot.name} is still being taken: cancel that instead.`, {
      allowed: ["available"],
    });
  }
  const why = await whyInUse(tx, snapshot);
  if (why !== null) throw new CumulusError("conflict", why);
}

/** Why a snapshot that was taken can't go just now; null when it can. Its row is held by the transaction. */
export async function whyInUse(tx: Queryable, snapshot: SnapshotRow): Promise<string | null> {
  const { id, name } = snapshot;
  const why = await whyAwaited(tx, snapshot);
  if (why !== null) return why;
  const isRestored = and(
    eq(operations.kind, "snapshot-restore"),
    inArray(operations.status, [...openStatuses]),
    sql`(${operations.taskParams} ->> 'snapshotId')::int = ${id}`,
  );
  if ((await tx.$count(operations, isRestored)) === 0) return null;
  return `Its VM is being restored to the snapshot ${name}. Wait until that is done.`;
}

/** Who has no disk of a snapshot yet and is to start from it, as a sentence. */
async function whyAwaited(tx: Queryable, { id, name }: SnapshotRow, which?: SQL): Promise<string | null> {
  const isOne = and(isYetToStartFrom(id), which);
  const [vm] = await tx.select({ name: vms.name }).from(vms).where(isOne).limit(1);
  if (!vm) return null;
  return `${vm.name} is to start from the snapshot ${name} and has no disk of it yet. Wait until it has one, or destroy it.`;
}
