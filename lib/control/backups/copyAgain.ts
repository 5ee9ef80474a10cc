import { and, count, eq, exists, gt, isNotNull, isNull, lt, or, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import type { Queryable } from "../../db/client";
import { backupPolicies, backupRepositories, backups } from "../../db/schema/backups";
import { operations } from "../../db/schema/operations";
import { snapshots } from "../../db/schema/vms";
import { type Backup, whyNotCopiedAgain } from "../../domain/backup";
import { CumulusError } from "../../domain/errors";
import { announce } from "../changes";
import type { Actor, Context } from "../context";
import { requestBackups } from "../jobs";
import { actorName } from "../operations";
import { attempt } from "./attempt";
import { lockBackup } from "./remove";
import { getBackup, listBackups } from "./view";

/**
 * Asks for another try at a copy that failed, from the snapshot that is still there.
 * @throws `not_found`; `wrong_state` for one that did not fail; `conflict` when its snapshot or its repository is gone, or another was quicker
 */
export async function copyAgain(context: Context, actor: Actor, vmId: number, id: number): Promise<Backup> {
  const backup = (await listBackups(context, vmId)).find((one) => one.id === id);
  if (!backup) throw new CumulusError("not_found", `VM ${vmId} has no backup ${id}.`);
  if (backup.status !== "failed") {
    const message = `This backup is ${backup.status === "done" ? "done" : "still being made"}: only one that failed can be copied again.`;
    throw new CumulusError("wrong_state", message, { allowed: ["failed"] });
  }
  const why = whyNotCopiedAgain(backup);
  if (why !== undefined) throw new CumulusError("conflict", why);
  const isReopened = await context.db.transaction((tx) => reopen(tx, id, actorName(actor)));
  if (!isReopened) {
    const message = "This backup was removed or asked for by another, or its repository forgotten, at the same moment.";
    throw new CumulusError("conflict", message);
  }
  return getBackup(context, id);
}

/**
 * Tries copies again by itself that failed, as long as they would be kept: once after an hour, and once more when another copy has reached their repository
 * since. One that somebody cancelled is left alone.
 */
export async function retryCopies(context: Context): Promise<void> {
  const { db } = context;
  const mayBeTried = or(
    and(lt(triesOf(db), 2), lt(operations.finishedAt, sql`now() - interval '1 hour'`)),
    and(lt(triesOf(db), 3), repositoryAnswers(db)),
  );
  const rows = await db
    .select({ id: backups.id, actor: backups.actor })
    .from(backups)
    .innerJoin(snapshots, and(eq(snapshots.id, backups.snapshotId), eq(snapshots.desired, "present")))
    .innerJoin(operations, and(eq(operations.id, backups.copyOperationId), eq(operations.status, "failed")))
    .leftJoin(backupPolicies, eq(backupPolicies.vmId, backups.vmId))
    .where(and(isFailed, isKept(db), mayBeTried));
  for (const { id, actor } of rows) {
    await attempt(context, { backupId: id }, () => db.transaction((tx) => reopen(tx, id, actor)));
  }
}

const isFailed = and(
  ...[isNull(backups.removedAt), isNotNull(backups.error), isNull(backups.copy), isNotNull(backups.repositoryId)],
);

const other = alias(backups, "other");
const tries = alias(operations, "tries");

/** Another copy has reached its repository since. */
function repositoryAnswers(db: Queryable) {
  const verifiedAt = sql`(${other.copy} ->> 'verifiedAt')::timestamptz`;
  const isLater = and(eq(other.repositoryId, backups.repositoryId), gt(verifiedAt, operations.finishedAt));
  return exists(db.select({ id: other.id }).from(other).where(isLater));
}

/** Newer copies of its tier leave it a place. Those by hand, and of a VM without a policy, are all kept. */
function isKept(db: Queryable) {
  const isOfTier = and(eq(other.vmId, backups.vmId), eq(other.tier, backups.tier));
  const isNewerCopy = and(isNull(other.removedAt), isNotNull(other.copy), gt(other.dueAt, backups.dueAt));
  const newer = db.select({ count: count() }).from(other).where(and(isOfTier, isNewerCopy));
  const keep = sql`(${backupPolicies.policy} -> ${backups.tier} ->> 'keep')::int`;
  return or(eq(backups.tier, "manual"), isNull(keep), lt(newer, keep));
}

/** How often it was tried to copy it. */
function triesOf(db: Queryable) {
  const isOfBackup = eq(tries.dedupKey, sql`'backup:' || ${backups.id}`);
  return db.select({ count: count() }).from(tries).where(isOfBackup);
}

/** It is to be copied as if for the first time. @returns false: it was removed, asked for by another, or its repository forgotten meanwhile */
async function reopen(tx: Queryable, id: number, actor: string): Promise<boolean> {
  const [found] = await tx.select({ repositoryId: backups.repositoryId }).from(backups).where(eq(backups.id, id));
  // The repository first, as by whoever forgets it.
  const [repository] = await tx
    .select({ id: backupRepositories.id })
    .from(backupRepositories)
    .where(eq(backupRepositories.id, found?.repositoryId ?? 0))
    .for("key share");
  const row = await lockBackup(tx, id);
  if (!repository || !row || row.error === null || row.copy !== null) return false;
  await tx.update(backups).set({ error: null, copyOperationId: null, actor }).where(eq(backups.id, id));
  await requestBackups(tx);
  await announce(tx, { kind: "backup", id, vmId: row.vmId });
  return true;
}
