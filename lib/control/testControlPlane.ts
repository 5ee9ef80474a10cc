import type pg from "pg";
import { pino } from "pino";
import { afterAll, beforeAll, expect } from "vitest";
import { startTestAgent } from "../agent/testAgent";
import { openDatabase, openPool } from "../db/client";
import { migrateDatabase } from "../db/migrate";
import { startTestDatabase, type TestDatabase } from "../db/testDatabase";
import type { Hypervisor } from "../hypervisor/hypervisor";
import type { Context } from "./context";
import { ensureBaseRows, refreshHost } from "./hosts";

/** A real database for a file of tests, on which control planes of hosts are made; nothing in them runs by itself. */
export interface TestControlPlane {
  readonly pool: pg.Pool;
  /** What the control plane's functions take, with an agent that serves this hypervisor for as long as the test runs. */
  contextWith(hypervisor: Hypervisor): Promise<Context>;
  /** The same, when the host has reported. */
  hostedContextWith(hypervisor: Hypervisor): Promise<Context>;
  /** Until so many queries wait for rows that the test's transaction holds: so far are those whom it keeps from going on. */
  waitingForLock(count: number): Promise<void>;
}

/** Of the file that calls this, from before its first test until after its last. */
export function testControlPlane(): TestControlPlane {
  let server: TestDatabase;
  let pool: pg.Pool;
  beforeAll(async () => {
    server = await startTestDatabase();
    await migrateDatabase(server.settings);
    pool = openPool(server.settings, { maxConnections: 5 });
  });
  afterAll(async () => {
    await pool?.end();
    await server?.stop();
  });
  async function contextWith(hypervisor: Hypervisor): Promise<Context> {
    const { client: agent } = await startTestAgent(hypervisor);
    return { settings: server.settings, db: openDatabase(pool), pool, agent, log: pino({ level: "silent" }) };
  }
  return {
    get pool() {
      return pool;
    },
    contextWith,
    hostedContextWith: async (hypervisor) => {
      const context = await contextWith(hypervisor);
      await ensureBaseRows(context);
      await refreshHost(context);
      return context;
    },
    waitingForLock: async (count) => {
      const waiting = "select from pg_stat_activity where wait_event_type = 'Lock'";
      await expect.poll(async () => (await pool.query(waiting)).rowCount).toBe(count);
    },
  };
}
