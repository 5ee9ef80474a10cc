import { join } from "node:path";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { runMigrations } from "graphile-worker";
import type pg from "pg";
import type { Settings } from "../env";
import { projectDir } from "../paths";
import { openPool } from "./client";

/** Any number, the same in every console: one of them migrates while the others wait. */
const migrationLock = 7_226_310_455;

/**
 * Brings the database's tables, and those of the job queue, to this version. Under an advisory lock, on one connection; doing nothing when
 * there is nothing to do.
 */
export async function migrateDatabase(settings: Settings): Promise<void> {
  const pool = openPool(settings, { maxConnections: 3 });
  try {
    const client = await pool.connect();
    try {
      await client.query("select pg_advisory_lock($1)", [migrationLock]);
      await migrate(drizzle(client), { migrationsFolder: join(projectDir, "drizzle") });
      await runMigrations({ pgPool: pool });
    } finally {
      // Closed, it lets go of the lock.
      client.release(true);
    }
  } finally {
    await pool.end();
  }
}

/** Waits until the server takes connections. Rejects with the last error after the deadline. */
export async function waitForDatabase(pool: pg.Pool, deadlineMs: number): Promise<void> {
  const endMs = Date.now() + deadlineMs;
  for (;;) {
    try {
      await pool.query("select 1");
      return;
    } catch (error) {
      if (Date.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
