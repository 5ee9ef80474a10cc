import { and, eq, inArray, isNull } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { backupRepositories, backups } from "../../db/schema/backups";
import { operations } from "../../db/schema/operations";
import { snapshots } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import type { Operation } from "../../domain/operation";
import { announce } from "../changes";
import { type Actor, type Context, systemActor } from "../context";
import { actorName, getOperation, type OperationRow, openStatuses } from "../operations";
import { requestSnapshotRemoval, whyInUse } from "../snapshots/remove";
import { requestCopyRemoval } from "./copyRemoval";
import { isBeingRestored, refuseWhileRestored } from "./restoring";

type BackupRow = typeof backups.$inferSelect;

/**
 * Asks for a backup to be gone: its snapshot and its copy. The backup itself is gone at once.
 * @returns what says when they are
 * @throws `not_found`; `wrong_state` while it is being made; `conflict` while its copy is being restored
 */
export async function removeBackup(context: Context, actor: Actor, vmId: number, id: number): Promise<Operation[]> {
  const begun = await context.db.transaction(async (tx) => {
    const row = await lockBackup(tx, id);
    if (row?.vmId !== vmId) throw new CumulusError("not_found", `VM ${vmId} has no backup ${id}.`);
    const isUncopied = row.repositoryId !== null && row.copy === null && row.error === null;
    if (isUncopied || (await isBeingMade(tx, row))) {
      throw new CumulusError("wrong_state", "This backup is still being made: cancel that instead.", {
        allowed: ["done", "failed"],
      });
    }
    if (row.copy) await refuseWhileRestored(tx, row.copy.key);
    return removeBackupRow(tx, actor, row);
  });
  return Promise.all(begun.map((operation) => getOperation(context, operation.id)));
}

/**
 * What is still being made is left to a later minute: only then there is a snapshot, or a copy, to remove with it. So is what is being restored: its copy is
 * read yet.
 */
export async function removeExpiredRow(tx: Queryable, id: number): Promise<void> {
  const row = await lockBackup(tx, id);
  if (!row || (await isBeingMade(tx, row))) return;
  if (row.copy && (await isBeingRestored(tx, row.copy.key))) return;
  await removeBackupRow(tx, systemActor, row);
}

/** A backup as it is now, held until the transaction ends: its copy may have ended, and others remove it too. Its repository is held first, as by who forgets that. */
export async function lockBackup(tx: Queryable, id: number): Promise<BackupRow | undefined> {
  const ofBackup = tx.select({ id: backups.repositoryId }).from(backups).where(eq(backups.id, id));
  await tx
    .select({ id: backupRepositories.id })
    .from(backupRepositories)
    .where(inArray(backupRepositories.id, ofBackup))
    .for("key share");
  const [row] = await tx
    .select()
    .from(backups)
    .where(and(eq(backups.id, id), isNull(backups.removedAt)))
    .for("update");
  return row;
}

async function isBeingMade(tx: Queryable, { snapshotId, copyOperationId }: BackupRow): Promise<boolean> {
  const isUntaken = and(eq(snapshots.id, snapshotId ?? 0), isNull(snapshots.manifest), isNull(snapshots.deletedAt));
  if ((await tx.$count(snapshots, isUntaken)) > 0) return true;
  const isCopied = and(eq(operations.id, copyOperationId ?? 0), inArray(operations.status, [...openStatuses]));
  return (await tx.$count(operations, isCopied)) > 0;
}

/** @param row held by the transaction */
async function removeBackupRow(tx: Queryable, actor: Actor, row: BackupRow): Promise<OperationRow[]> {
  await tx.update(backups).set({ removedAt: new Date() }).where(eq(backups.id, row.id));
  const ofSnapshot = await removeSnapshotOf(tx, actor, row);
  const begun = ofSnapshot === null ? [] : [ofSnapshot];
  if (row.copy && row.repositoryId !== null) {
    const [repository] = await tx.select().from(backupRepositories).where(eq(backupRepositories.id, row.repositoryId));
    if (repository) begun.push(await requestCopyRemoval(tx, actorName(actor), repository, row.copy.key, row.vmId));
  }
  await announce(tx, { kind: "backup", id: row.id, vmId: row.vmId });
  return begun;
}

/** One from which a VM is about to start, or is being restored, is left to a later minute (lib/control/backups/retention.ts). */
export async function removeSnapshotOf(
  tx: Queryable,
  actor: Actor,
  { snapshotId }: BackupRow,
): Promise<OperationRow | null> {
  if (snapshotId === null) return null;
  const [snapshot] = await tx
    .select()
    .from(snapshots)
    .where(and(eq(snapshots.id, snapshotId), eq(snapshots.desired, "present"), isNull(snapshots.deletedAt)))
    .for("update");
  if (!snapshot?.manifest || (await whyInUse(tx, snapshot)) !== null) return null;
  return requestSnapshotRemoval(tx, actor, snapshot);
}
