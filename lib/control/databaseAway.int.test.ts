import { sql } from "drizzle-orm";
import type pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectionConfig, type Database, openDatabase, openPool } from "../db/client";
import { findPostmaster, startEmbeddedPostgres } from "../db/embedded";
import { isDatabaseAway } from "../db/errors";
import { startTestDatabase, type TestDatabase } from "../db/testDatabase";
import { signal } from "../system/testing/signal";
import { createChangeFeed } from "./changeFeed";
import { announce } from "./changes";
import { withVmLock } from "./vmLock";

const maxConnections = 3;
const deadline = { timeout: 30_000 };

let server: TestDatabase;
let pool: pg.Pool;
let database: Database;
beforeEach(async () => {
  server = await startTestDatabase();
  pool = openPool(server.settings, { maxConnections });
  database = openDatabase(pool);
});
afterEach(async () => {
  await pool.end();
  await server.stop();
});

async function killServer(): Promise<void> {
  signal(await findPostmaster(server.settings), "SIGKILL");
  await expect.poll(() => findPostmaster(server.settings), deadline).toBeUndefined();
}

const restart = () => startEmbeddedPostgres(server.settings, { endsWithParent: true });
const one = async () => (await database.execute(sql`select 1 as one`)).rows;

/** What a query fails with first: the backends of a killed server answer until they notice. */
async function firstRefusal(): Promise<unknown> {
  let refusal: unknown;
  const ask = async () => {
    refusal = await one().then(
      () => undefined,
      (error: unknown) => error,
    );
    return refusal;
  };
  await expect.poll(ask, deadline).toBeDefined();
  return refusal;
}

/** As many at once as there are connections: all of them must work. */
async function allConnectionsWork(): Promise<void> {
  await expect.poll(() => one().catch(() => "away"), deadline).toEqual([{ one: 1 }]);
  const all = Array.from({ length: maxConnections }, () =>
    database.transaction((tx) => tx.execute(sql`select pg_sleep(0.1)`)),
  );
  expect(await Promise.all(all)).toHaveLength(maxConnections);
}

test("transactions, locks and queries that a killed server cuts off fail as such, and no connection is lost to them", async () => {
  for (let round = 0; round < 3; round++) {
    const cut = [
      database.transaction(async (tx) => {
        await killServer();
        await tx.execute(sql`select 1`);
      }),
      withVmLock(pool, 1, () => one()),
      withVmLock(pool, 2, async () => {
        await expect.poll(() => findPostmaster(server.settings), deadline).toBeUndefined();
      }),
    ];
    for (const { status, ...outcome } of await Promise.allSettled(cut)) {
      if (status === "rejected") expect(outcome).toSatisfy(({ reason }) => isDatabaseAway(reason));
    }
    expect(await firstRefusal()).toSatisfy(isDatabaseAway);
    await restart();
    await allConnectionsWork();
  }
});

test("a lock is held by one at a time, and is free when its holder failed", async () => {
  await expect(withVmLock(pool, 7, () => Promise.reject(new Error("in the middle")))).rejects.toThrow("in the middle");
  let holders = 0;
  let most = 0;
  const hold = async () => {
    most = Math.max(most, ++holders);
    await pool.query("select pg_sleep(0.05)");
    holders--;
  };
  await Promise.all([withVmLock(pool, 7, hold), withVmLock(pool, 7, hold)]);
  expect(most).toBe(1);
});

test("changes are heard again after the server was killed, and the loss is told once", async () => {
  const losses: unknown[] = [];
  const heard: number[] = [];
  const feed = createChangeFeed(connectionConfig(server.settings), (error) => losses.push(error));
  let reconnects = 0;
  feed.subscribe(
    ({ id }) => heard.push(id),
    () => reconnects++,
  );
  const hear = async (id: number) => {
    await announce(database, { kind: "vm", id });
    return heard.includes(id);
  };
  await expect.poll(() => hear(1), deadline).toBe(true);
  await killServer();
  await expect.poll(() => losses.length, deadline).toBe(1);
  await restart();
  await expect.poll(() => reconnects, deadline).toBe(1);
  await expect.poll(() => hear(2), deadline).toBe(true);
  expect(losses).toHaveLength(1);
});
