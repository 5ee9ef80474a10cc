import { and, eq, inArray, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { operations } from "../../db/schema/operations";
import { CumulusError } from "../../domain/errors";
import { openStatuses } from "../operations";

/** Whether a copy is being restored, for as long as which its repository must keep it. */
export async function isBeingRestored(tx: Queryable, key: string): Promise<boolean> {
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
