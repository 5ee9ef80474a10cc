import type pg from "pg";
import { pino } from "pino";
import { expect } from "vitest";
import { startTestAgent } from "../agent/testAgent";
import { openDatabase, openPool } from "../db/client";
import { migrateDatabase } from "../db/migrate";
import { startTestDatabase } from "../db/testDatabase";
import type { Hypervisor } from "../hypervisor/hypervisor";
import type { Context } from "./context";

/** A real database for a file of tests, on which control planes of hosts are made; nothing in them runs by itself. */
export interface TestControlPlane {
  pool: pg.Pool;
  /** What the control plane's functions take, with an agent that serves this hypervisor for as long as the test runs. */
  contextWith(hypervisor: Hypervisor): Promise<Context>;
  /** Until so many queries wait for rows that the test's transaction holds: so far are those whom it keeps from going on. */
  waitingForLock(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function startTestControlPlane(): Promise<TestControlPlane> {
  const server = await startTestDatabase();
  await migrateDatabase(server.settings);
  const pool = openPool(server.settings, { maxConnections: 5 });
  const db = openDatabase(pool);
  return {
    pool,
    contextWith: async (hypervisor) => {
      const { client: agent } = await startTestAgent(hypervisor);
      return { settings: server.settings, db, pool, agent, log: pino({ level: "silent" }) };
    },
    waitingForLock: async (count) => {
      const waiting = "select from pg_stat_activity where wait_event_type = 'Lock'";
      await expect.poll(async () => (await pool.query(waiting)).rowCount, { timeout: 10_000 }).toBe(count);
    },
    close: async () => {
      await pool.end();
      await server.stop();
    },
  };
}
