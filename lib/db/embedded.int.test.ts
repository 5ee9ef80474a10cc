import { spawn } from "node:child_process";
import { appendFile, chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pathsOf } from "../env";
import { ensureServiceAccount } from "../serviceAccount";
import { signal } from "../system/testing/signal";
import { openPool } from "./client";
import { findPostmaster, startEmbeddedPostgres, stopEmbeddedPostgres } from "./embedded";
import { startTestDatabase, type TestDatabase } from "./testDatabase";

let database: TestDatabase;
beforeEach(async () => {
  database = await startTestDatabase();
});
afterEach(() => database.stop());

async function query(text: string) {
  const pool = openPool(database.settings, { maxConnections: 1 });
  try {
    return (await pool.query(text)).rows;
  } finally {
    await pool.end();
  }
}

const start = () => startEmbeddedPostgres(database.settings, { endsWithParent: true });

test("the server is durable and reached by nothing but a socket that is its user's own", async () => {
  const [row] = await query(
    "select current_setting('fsync') fsync, current_setting('data_checksums') checksums, current_setting('listen_addresses') tcp",
  );
  expect(row).toEqual({ fsync: "on", checksums: "on", tcp: "" });
  const { postgresSocketDir, postgresData } = pathsOf(database.settings);
  expect((await stat(postgresSocketDir)).mode & 0o777).toBe(0o700);
  const owner = (await stat(postgresData)).uid;
  expect(owner).toBe((await ensureServiceAccount())?.uid ?? process.getuid?.());
});

test("a server that runs is adopted", async () => {
  const pid = await findPostmaster(database.settings);
  expect(await start()).toEqual({ pid, wasRunning: true });
});

test("a server that was killed comes back with all that was committed", async () => {
  await query("create table kept (id int); insert into kept select generate_series(1, 500)");
  const pid = await findPostmaster(database.settings);
  signal(pid, "SIGKILL");
  expect((await start()).wasRunning).toBe(false);
  expect(await query("select count(*)::int from kept")).toEqual([{ count: 500 }]);
});

test("a server that was killed is started again when the last of its backends is gone", async () => {
  const pool = openPool(database.settings, { maxConnections: 1 });
  pool.on("error", () => undefined);
  const { rows } = await pool.query<{ pid: number }>("select pg_backend_pid() as pid");
  const backend = rows[0]?.pid;
  signal(backend, "SIGSTOP");
  try {
    signal(await findPostmaster(database.settings), "SIGKILL");
    const started = start();
    const log = join(pathsOf(database.settings).logs, "postgres.log");
    await expect.poll(() => readFile(log, "utf8")).toContain("pre-existing shared memory block");
    signal(backend, "SIGCONT");
    expect((await started).wasRunning).toBe(false);
  } finally {
    await pool.end();
  }
});

// Less than a server is given that is about to end.
test("a server that runs and has lost its socket is told at once", { timeout: 25_000 }, async () => {
  const socket = join(pathsOf(database.settings).postgresSocketDir, ".s.PGSQL.5432");
  await rename(socket, `${socket}.away`);
  await expect(start()).rejects.toThrow("ENOENT");
});

test("two servers on one folder are refused", async () => {
  await stopEmbeddedPostgres(database.settings);
  const starts = await Promise.allSettled([start(), start()]);
  expect(starts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const refused = starts.find(({ status }) => status === "rejected");
  expect(String(refused?.status === "rejected" && refused.reason)).toContain("lock file");
  expect(await query("select 1 as one")).toEqual([{ one: 1 }]);
});

test("an initialisation that was killed is begun again", async () => {
  const fresh = {
    dataDir: join(database.settings.dataDir, "second"),
    runDir: join(database.settings.runDir, "second"),
  };
  const draft = `${pathsOf(fresh).postgresData}.new`;
  await mkdir(draft, { recursive: true });
  await writeFile(join(draft, "PG_VERSION"), "18\n");
  try {
    expect((await startEmbeddedPostgres(fresh, { endsWithParent: true })).wasRunning).toBe(false);
  } finally {
    await stopEmbeddedPostgres(fresh);
  }
});

test("a process that merely has the old pid neither counts as the server nor is harmed", async () => {
  await stopEmbeddedPostgres(database.settings);
  const account = await ensureServiceAccount();
  const stranger = spawn("sleep", ["600"], { uid: account?.uid, gid: account?.gid, cwd: "/" });
  try {
    const pidFile = join(pathsOf(database.settings).postgresData, "postmaster.pid");
    await writeFile(pidFile, `${stranger.pid}\n${pathsOf(database.settings).postgresData}\n`, { mode: 0o600 });
    if (account) await chown(pidFile, account.uid, account.gid);
    expect(await findPostmaster(database.settings)).toBeUndefined();
    expect((await start()).wasRunning).toBe(false);
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  } finally {
    stranger.kill("SIGKILL");
  }
});

test("a start that fails says PostgreSQL's own reason", async () => {
  await stopEmbeddedPostgres(database.settings);
  await appendFile(join(pathsOf(database.settings).postgresData, "postgresql.conf"), "nonsense = 1\n");
  await expect(start()).rejects.toThrow(/PostgreSQL did not start: .*configuration file .* contains errors/);
});

test("a recovery that fails is told in the words of the process that recovered", async () => {
  const { postgresData } = pathsOf(database.settings);
  await stopEmbeddedPostgres(database.settings);
  const log = join(postgresData, "pg_wal");
  for (const name of await readdir(log)) if (/^[0-9A-F]{24}$/.test(name)) await rm(join(log, name));
  await expect(start()).rejects.toThrow(/PostgreSQL did not start: PANIC: +could not locate a valid checkpoint record/);
});
