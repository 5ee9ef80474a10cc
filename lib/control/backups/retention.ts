import { and, eq, isNotNull, isNull, not, or, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { backupPolicies, backups } from "../../db/schema/backups";
import { operations } from "../../db/schema/operations";
import { snapshots } from "../../db/schema/vms";
import { type BackupPolicy, backupTiers, expiredBackups } from "../../domain/backupPolicy";
import { type Context, systemActor } from "../context";
import { couldNotBeRemoved } from "../snapshots/remove";
import { attempt } from "./attempt";
import { removeExpiredRow, removeSnapshotOf } from "./remove";
import { isThere, statusOf } from "./status";

type BackupRow = typeof backups.$inferSelect;

/** Runs that failed are kept for people to see, not for ever. */
const keptFailures = 5;

/** Removes what the policies no longer keep, and snapshots that have done their work. */
export async function removeExpired(context: Context): Promise<void> {
  const policies = await context.db.select().from(backupPolicies);
  for (const { vmId, policy } of policies) {
    for (const row of await expiredOf(context.db, vmId, policy)) {
      await attempt(context, { backupId: row.id }, () => context.db.transaction((tx) => removeExpiredRow(tx, row.id)));
    }
  }
  await removeServedSnapshots(context);
}

/** What counts is what is done and can be restored: a run that may yet fail takes no place from one that is good. */
async function expiredOf(db: Queryable, vmId: number, policy: BackupPolicy): Promise<BackupRow[]> {
  const rows = await db
    .select({ backup: backups, snapshot: snapshots })
    .from(backups)
    .leftJoin(snapshots, eq(snapshots.id, backups.snapshotId))
    .where(and(eq(backups.vmId, vmId), isNull(backups.removedAt)));
  return backupTiers.flatMap((tier) => {
    const ofTier = rows.filter(({ backup }) => backup.tier === tier);
    const failed = ofTier.flatMap(({ backup }) => (backup.error === null ? [] : backup));
    const done = ofTier.filter(({ backup, snapshot }) => statusOf(backup, snapshot) === "done");
    const isGood = ({ backup, snapshot }: (typeof done)[number]) => backup.copy !== null || isThere(snapshot);
    const good = done.filter(isGood).map(({ backup }) => backup);
    const empty = done.filter((row) => !isGood(row)).map(({ backup }) => backup);
    const keep = policy[tier]?.keep ?? good.length;
    return [...expiredBackups(good, keep), ...expiredBackups(failed, keptFailures), ...empty];
  });
}

/**
 * Asks for the removal of snapshots that have done their work: those of backups that are removed, for which it was not the time then or that could not go, and
 * those of backups by hand. Such a backup is its copy; one whose copy failed keeps its snapshot for a day, to be copied again.
 */
async function removeServedSnapshots(context: Context): Promise<void> {
  const failedAt = sql`coalesce(${operations.finishedAt}, ${backups.createdAt})`;
  const isGivenUp = and(isNotNull(backups.error), sql`${failedAt} < now() - interval '1 day'`);
  const byHand = and(eq(backups.tier, "manual"), or(isNotNull(backups.copy), isGivenUp));
  const rows = await context.db
    .select({ backup: backups })
    .from(backups)
    .innerJoin(snapshots, and(eq(snapshots.id, backups.snapshotId), eq(snapshots.desired, "present")))
    .leftJoin(operations, eq(operations.id, backups.copyOperationId))
    .where(and(or(isNotNull(backups.removedAt), byHand), not(couldNotBeRemoved(snapshots.id))));
  for (const { backup } of rows) {
    await attempt(context, { backupId: backup.id }, () =>
      context.db.transaction((tx) => removeSnapshotOf(tx, systemActor, backup)),
    );
  }
}
