import { sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";

/**
 * Held to the transaction's end. `shared` by whoever writes down which images a host has; `exclusive` by whoever writes down that one is gone, so that
 * neither acts on what the other has just changed.
 */
export async function lockImages(tx: Queryable, mode: "shared" | "exclusive"): Promise<void> {
  const lock = sql.raw(mode === "shared" ? "pg_advisory_xact_lock_shared" : "pg_advisory_xact_lock");
  await tx.execute(sql`select ${lock}(hashtext('cumulus images'))`);
}
