import { join } from "node:path";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import { runMigrations } from "graphile-worker";
import pg from "pg";
import type postgres from "postgres";
import type { Settings } from "../env";
import { projectDir } from "../paths";
import { openDatabase, openSql, poolConfig } from "./client";

/** Any number, the same in every console: one of them migrates while the others wait. */
const migrationLock = 7_226_310_455;

/**
 * Brings the database's tables, and those of the job queue, to this version. Under an advisory lock, on one connection; doing nothing when
 * there is nothing to do.
 */
export async function migrateDatabase(settings: Settings): Promise<void> {
  const sql = openSql(settings, { maxConnections: 1 });
  const pgPool = new pg.Pool({ ...poolConfig(settings), max: 2 });
  pgPool.on("error", () => undefined);
  try {
    await sql`select pg_advisory_lock(${migrationLock})`;
    await migrate(openDatabase(sql), { migrationsFolder: join(projectDir, "drizzle") });
    await runMigrations({ pgPool });
  } finally {
    await pgPool.end();
    await sql.end({ timeout: 5 });
  }
}

/** Waits until the server takes connections. Rejects with the last error after the deadline. */
export async function waitForDatabase(sql: postgres.Sql, deadlineMs: number): Promise<void> {
  const endMs = Date.now() + deadlineMs;
  for (;;) {
    try {
      await sql`select 1`;
      return;
    } catch (error) {
      if (Date.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
