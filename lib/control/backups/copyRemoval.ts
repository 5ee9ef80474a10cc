import { and, eq, inArray, isNotNull, sql } from "drizzle-orm";
import { z } from "zod";
import type { Queryable } from "../../db/client";
import { backupRepositories, backups } from "../../db/schema/backups";
import { operations } from "../../db/schema/operations";
import { announce } from "../changes";
import { type Context, systemActor } from "../context";
import type { OperationRow } from "../operations";
import type { TaskEffects } from "../tasks/effects";
import { requestTask } from "../tasks/request";
import { attempt } from "./attempt";
import { forgetCopies } from "./forgetCopies";
import { accessOf } from "./repositories";
import { isBeingRestored } from "./restoring";

type RepositoryRow = typeof backupRepositories.$inferSelect;

/** `repositoryId` is for this side alone; what an earlier version asked for has none. */
const paramsSchema = z.object({ repositoryId: z.number().optional(), keys: z.array(z.string()) });

/** Asks for a copy to be taken out of its repository. Asked again while it is going, finds the same operation. */
export async function requestCopyRemoval(
  tx: Queryable,
  actor: string,
  { id, name }: RepositoryRow,
  key: string,
  vmId?: number,
): Promise<OperationRow> {
  return requestTask(tx, {
    kind: "backup-remove",
    taskKind: "backup-remove",
    params: { access: await accessOf(tx, id, "repository"), keys: [key], repositoryId: id },
    actor,
    ...(vmId !== undefined && { vmId }),
    subject: name,
    dedupKey: `backup-remove:${id}:${key}`,
  });
}

/**
 * Asks once more, an hour after the last time, for the removal of copies whose backup is gone and that are in their repository still: it was away then, say. All of a
 * repository's are one operation.
 */
export async function retryCopyRemovals(context: Context): Promise<void> {
  const { id, name } = backupRepositories;
  const key = sql<string>`${backups.copy} ->> 'key'`;
  const wasAsked = sql`exists (select from ${operations} where ${operations.kind} = 'backup-remove'
    and ${operations.dedupKey} in ('backup-remove:' || ${id}, 'backup-remove:' || ${id} || ':' || (${key}))
    and (${operations.finishedAt} is null or ${operations.finishedAt} > now() - interval '1 hour'))`;
  const repositories = await context.db
    .select({ id, name, keys: sql<string[]>`jsonb_agg(${key})` })
    .from(backups)
    .innerJoin(backupRepositories, eq(id, backups.repositoryId))
    .where(and(isNotNull(backups.removedAt), isNotNull(backups.copy), sql`not ${wasAsked}`))
    .groupBy(id);
  for (const { id, name, keys } of repositories) {
    const request = async (tx: Queryable) => {
      const wanted: string[] = [];
      // In one order, for each is held.
      for (const key of keys.toSorted()) if (!(await isBeingRestored(tx, key))) wanted.push(key);
      if (wanted.length === 0) return;
      await requestTask(tx, {
        kind: "backup-remove",
        taskKind: "backup-remove",
        params: { access: await accessOf(tx, id, "repository"), keys: wanted, repositoryId: id },
        actor: systemActor.name,
        subject: name,
        dedupKey: `backup-remove:${id}`,
      });
    };
    await attempt(context, { repositoryId: id }, () => context.db.transaction(request));
  }
}

/** The end of taking copies out of a repository: nothing counts on them any more. Those that could not be are tried again. */
export const copyRemovalEffects: TaskEffects = {
  async onDone(_context, tx, operation) {
    const { repositoryId, keys } = paramsSchema.parse(operation.taskParams);
    if (repositoryId !== undefined) {
      await forgetCopies(
        tx,
        and(eq(backups.repositoryId, repositoryId), inArray(sql`${backups.copy} ->> 'key'`, keys)),
      );
      await announce(tx, { kind: "backup-repository", id: repositoryId });
    }
    return { message: "Done.", result: null };
  },
};
