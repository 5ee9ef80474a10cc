import { sql } from "drizzle-orm";
import type { Queryable } from "../db/client";
import { type Change, changeChannel } from "../domain/event";

/** Announces a change to every console, when (and only if) the transaction commits. */
export async function announce(db: Queryable, change: Change): Promise<void> {
  await db.execute(sql`select pg_notify(${changeChannel}, ${JSON.stringify(change)})`);
}
