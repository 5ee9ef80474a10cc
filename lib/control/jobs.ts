import { sql } from "drizzle-orm";
import type { Queryable } from "../db/client";

/**
 * Asks the worker to converge a VM, in the transaction that gave the reason. Requests for one VM that wait at the same time are one job; one that arrives while
 * it is converged makes it be looked at again.
 * @param runAt not before this time
 */
export async function requestConverge(db: Queryable, vmId: number, runAt?: Date): Promise<void> {
  const jobKey = runAt ? `converge-later:${vmId}` : `converge:${vmId}`;
  const at = (runAt ?? new Date()).toISOString();
  await db.execute(
    sql`select graphile_worker.add_job('converge', json_build_object('vmId', ${vmId}::int), job_key := ${jobKey}, run_at := least(${at}::timestamptz, now() + interval '1 hour'), max_attempts := 1)`,
  );
}

/** Asks the worker to look at all backups now (lib/control/backups/advance.ts). */
export async function requestBackups(db: Queryable): Promise<void> {
  await db.execute(
    sql`select graphile_worker.add_job('advance-backups', job_key := 'advance-backups', max_attempts := 1)`,
  );
}
