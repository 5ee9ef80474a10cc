import { and, eq, isNotNull, isNull, or, sql } from "drizzle-orm";
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
 * @throws `not_found`; `wrong_state` for one that did not fail; `conflict` when its snapshot or its repository is gone
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
  await context.db.transaction((tx) => reopen(tx, id, actorName(actor)));
  return getBackup(context, id);
}

/**
 * Tries copies again by itself that failed, as long as they would be kept: once after an hour, and once more when another copy has reached their repository
 * since. One that somebody cancelled is left alone.
 */
export async function retryCopies(context: Context): Promise<void> {
  const rows = await context.db
    .select({ id: backups.id, actor: backups.actor })
    .from(backups)
    .innerJoin(snapshots, and(eq(snapshots.id, backups.snapshotId), eq(snapshots.desired, "present")))
    .innerJoin(operations, and(eq(operations.id, backups.copyOperationId), eq(operations.status, "failed")))
    .leftJoin(backupPolicies, eq(backupPolicies.vmId, backups.vmId))
    .where(and(isFailed, isKept, or(and(triedLessThan(2), anHourPassed), and(triedLessThan(3), repositoryAnswers))));
  for (const { id, actor } of rows) {
    await attempt(context, { backupId: id }, () => context.db.transaction((tx) => reopen(tx, id, actor)));
  }
}

const isFailed = and(
  ...[isNull(backups.removedAt), isNotNull(backups.error), isNull(backups.copy), isNotNull(backups.repositoryId)],
);
const anHourPassed = sql`${operations.finishedAt} < now() - interval '1 hour'`;

const other = alias(backups, "other");
const repositoryAnswers = sql`exists (select from ${backups} ${sql.identifier("other")} where ${other.repositoryId} = ${backups.repositoryId}
  and (${other.copy} ->> 'verifiedAt')::timestamptz > ${operations.finishedAt})`;
/** Newer copies of its tier leave it a place. By hand none are counted. */
const isKept = sql`(select count(*) from ${backups} ${sql.identifier("other")} where ${other.vmId} = ${backups.vmId} and ${other.tier} = ${backups.tier}
  and ${other.removedAt} is null and ${other.copy} is not null and ${other.dueAt} > ${backups.dueAt})
  < coalesce((${backupPolicies.policy} -> ${backups.tier} ->> 'keep')::int, 1000000)`;

function triedLessThan(times: number) {
  const tries = alias(operations, "tries");
  return sql`(select count(*) from ${operations} ${sql.identifier("tries")} where ${tries.dedupKey} = 'backup:' || ${backups.id}) < ${times}`;
}

/** It is to be copied as if for the first time, unless it was removed, asked for by another, or its repository forgotten meanwhile. */
async function reopen(tx: Queryable, id: number, actor: string): Promise<void> {
  const [found] = await tx.select({ repositoryId: backups.repositoryId }).from(backups).where(eq(backups.id, id));
  // The repository first, as by whoever forgets it.
  const [repository] = await tx
    .select({ id: backupRepositories.id })
    .from(backupRepositories)
    .where(eq(backupRepositories.id, found?.repositoryId ?? 0))
    .for("key share");
  const row = await lockBackup(tx, id);
  if (!repository || !row || row.error === null || row.copy !== null) return;
  await tx.update(backups).set({ error: null, copyOperationId: null, actor }).where(eq(backups.id, id));
  await requestBackups(tx);
  await announce(tx, { kind: "backup", id, vmId: row.vmId });
}
