import { and, eq, inArray, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { operations } from "../../db/schema/operations";
import { CumulusError } from "../../domain/errors";
import { openStatuses } from "../operations";

/** Has who restores a copy and who takes it out of its repository come one after the other. */
async function holdCopy(tx: Queryable, key: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${`copy:${key}`}))`);
}

/** Whether a copy is being restored, for as long as which its repository must keep it. Nobody begins to until the transaction ends. */
export async function isBeingRestored(tx: Queryable, key: string): Promise<boolean> {
  await holdCopy(tx, key);
  const isRestored = and(
    eq(operations.kind, "backup-restore"),
    inArray(operations.status, [...openStatuses]),
    sql`${operations.taskParams} ->> 'key' = ${key}`,
  );
  return (await tx.$count(operations, isRestored)) > 0;
}

/** @throws `conflict` while a copy is being restored */
export async function refuseWhileRestored(tx: Queryable, key: string): Promise<void> {
  if (!(await isBeingRestored(tx, key))) return;
  throw new CumulusError("conflict", "This backup is being restored. Wait until that is done, or cancel it.");
}

/** @throws `conflict` while a copy is being taken out of its repository; nobody begins to until the transaction ends */
export async function refuseWhileTakenOut(tx: Queryable, key: string): Promise<void> {
  await holdCopy(tx, key);
  const isTakenOut = and(
    eq(operations.kind, "backup-remove"),
    inArray(operations.status, [...openStatuses]),
    sql`${operations.taskParams} -> 'keys' ? ${key}`,
  );
  if ((await tx.$count(operations, isTakenOut)) === 0) return;
  throw new CumulusError("conflict", "This backup is being removed from its repository: choose another one.");
}
