import { and, eq, inArray, isNotNull, isNull } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { backupPolicies, backupRepositories, backups } from "../../db/schema/backups";
import { operations } from "../../db/schema/operations";
import { snapshots } from "../../db/schema/vms";
import { backupTiers, expiredBackups } from "../../domain/backupPolicy";
import { CumulusError } from "../../domain/errors";
import { announce } from "../changes";
import { type Actor, type Context, systemActor } from "../context";
import { actorName, openStatuses } from "../operations";
import { requestRemoval } from "../snapshots/remove";
import { requestTask } from "../tasks/request";
import { attempt } from "./attempt";

type BackupRow = typeof backups.$inferSelect;

/** Runs that failed are kept for people to see, not for ever. */
const keptFailures = 5;

/** Removes what the policies no longer keep, and the snapshots of backups by hand that are copied. */
export async function removeExpired(context: Context): Promise<void> {
  const policies = await context.db.select().from(backupPolicies);
  for (const { vmId, policy } of policies) {
    for (const tier of backupTiers) {
      const rows = await presentBackups(context.db, vmId, tier);
      const failed = rows.filter(({ error }) => error !== null);
      const kept = rows.filter(({ error }) => error === null);
      const expired = [
        ...expiredBackups(kept, policy[tier]?.keep ?? kept.length),
        ...expiredBackups(failed, keptFailures),
      ];
      for (const row of expired) {
        await attempt(context, { backupId: row.id }, () =>
          context.db.transaction((tx) => removeExpiredRow(tx, row.id)),
        );
      }
    }
  }
  await removeCopiedSnapshots(context);
}

/**
 * Removes a backup: its snapshot and its copy.
 * @throws `not_found`; `wrong_state` while it is being made
 */
export async function removeBackup(context: Context, actor: Actor, vmId: number, id: number): Promise<void> {
  await context.db.transaction(async (tx) => {
    const row = await lockBackup(tx, id);
    if (row?.vmId !== vmId) throw new CumulusError("not_found", `VM ${vmId} has no backup ${id}.`);
    const isUncopied = row.repositoryId !== null && row.copy === null && row.error === null;
    if (isUncopied || (await isBeingMade(tx, row))) {
      throw new CumulusError("wrong_state", "This backup is still being made: cancel that instead.", {
        allowed: ["done", "failed"],
      });
    }
    await removeBackupRow(tx, actor, row);
  });
}

/** What is still being made is left to a later minute: only then there is a snapshot, or a copy, to remove with it. */
async function removeExpiredRow(tx: Queryable, id: number): Promise<void> {
  const row = await lockBackup(tx, id);
  if (row && !(await isBeingMade(tx, row))) await removeBackupRow(tx, systemActor, row);
}

/** A backup as it is now, held until the transaction ends: its copy may have ended, and others remove it too. */
async function lockBackup(tx: Queryable, id: number): Promise<BackupRow | undefined> {
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
async function removeBackupRow(tx: Queryable, actor: Actor, row: BackupRow): Promise<void> {
  await tx.update(backups).set({ removedAt: new Date() }).where(eq(backups.id, row.id));
  await removeSnapshotOf(tx, actor, row);
  if (row.copy && row.repositoryId !== null) {
    const [repository] = await tx.select().from(backupRepositories).where(eq(backupRepositories.id, row.repositoryId));
    if (repository) {
      await requestTask(tx, {
        kind: "backup-remove",
        taskKind: "backup-remove",
        params: { access: repository.access, keys: [row.copy.key] },
        actor: actorName(actor),
        vmId: row.vmId,
        subject: repository.name,
      });
    }
  }
  await announce(tx, { kind: "backup", id: row.id, vmId: row.vmId });
}

/** A backup by hand is its copy: the snapshot that it was made from has done its work. */
async function removeCopiedSnapshots(context: Context): Promise<void> {
  const rows = await context.db
    .select({ backup: backups })
    .from(backups)
    .innerJoin(snapshots, and(eq(snapshots.id, backups.snapshotId), eq(snapshots.desired, "present")))
    .where(and(eq(backups.tier, "manual"), isNotNull(backups.copy)));
  for (const { backup } of rows) {
    await attempt(context, { backupId: backup.id }, () =>
      context.db.transaction((tx) => removeSnapshotOf(tx, systemActor, backup)),
    );
  }
}

async function removeSnapshotOf(tx: Queryable, actor: Actor, { snapshotId }: BackupRow): Promise<void> {
  if (snapshotId === null) return;
  const [snapshot] = await tx
    .select()
    .from(snapshots)
    .where(and(eq(snapshots.id, snapshotId), eq(snapshots.desired, "present"), isNull(snapshots.deletedAt)))
    .for("update");
  if (snapshot?.manifest) await requestRemoval(tx, actor, snapshot);
}

function presentBackups(db: Queryable, vmId: number, tier: BackupRow["tier"]): Promise<BackupRow[]> {
  return db
    .select()
    .from(backups)
    .where(and(eq(backups.vmId, vmId), eq(backups.tier, tier), isNull(backups.removedAt)));
}
