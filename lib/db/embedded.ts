import { spawn } from "node:child_process";
import { chmod, chown, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import pg from "pg";
import { CumulusError, messageOf } from "../domain/errors";
import { pathsOf, type Settings } from "../env";
import { projectDir } from "../paths";
import {
  ensureServiceAccount,
  makeSharedFolder,
  type ServiceAccount,
  type ServiceRunner,
  serviceEnvironment,
  serviceRunner,
} from "../serviceAccount";
import { isErrno, syncFolder } from "../system/files";
import { startTimeOf } from "../system/platform";
import { embeddedDatabase } from "./client";
import { findPostgresBinaries } from "./postgresBinaries";
import { findPostmasterOf, readPostmasterFile } from "./postmaster";

/**
 * A real PostgreSQL of our own, under the data folder, on a unix socket that only its user reaches.
 *
 *     no folder ──initdb──▶ postgres.new ──rename──▶ postgres ──start──▶ starting ──▶ ready
 *
 * The folder appears whole or not at all, so an initdb that was killed is begun again. The server is no child in effect: it
 * outlives whoever started it, and the next start finds it by the `postmaster.pid` that PostgreSQL keeps in its folder.
 */

type Folders = Pick<Settings, "dataDir" | "runDir">;

/** A restart after a crash replays the log written since the last checkpoint (at most 5 minutes of work). */
const startTimeoutMs = 120_000;
/** A fast shutdown breaks connections and writes a checkpoint; past this it is cut short and the next start recovers. */
const stopTimeoutMs = 30_000;
const pollMs = 20;
/** A backend of a server that was killed ends when it next waits for something. */
const leftBackendsMs = 15_000;
const leftBackendsPollMs = 200;
/** A server that ends has removed its socket a moment before it is gone. */
const goneMs = 2_000;

export interface StartOptions {
  /** Linux: PostgreSQL stops when the thread that started it ends. For tests, so that none is left over. */
  endsWithParent?: boolean;
}

export interface EmbeddedPostgres {
  pid: number;
  /** Whether it ran already. */
  wasRunning: boolean;
}

/**
 * Starts the embedded server unless it runs, waits until it accepts connections and makes the database. Idempotent. `unavailable`
 * with PostgreSQL's own last words when it doesn't come up.
 */
export async function startEmbeddedPostgres(settings: Folders, options: StartOptions = {}): Promise<EmbeddedPostgres> {
  const found = await findPostmaster(settings);
  if (found && (await adopt(settings, found))) return { pid: found, wasRunning: true };
  const account = await ensureServiceAccount();
  await makeFolders(settings, account);
  const runner = await serviceRunner(account, settings);
  await ensureCluster(settings, account, runner);
  const pid = await launchWhenFree(settings, runner, options);
  await ensureDatabase(settings);
  return { pid, wasRunning: false };
}

/** Starts the server and waits until it is ready. That of one that was killed is in the way until its backends have noticed. */
async function launchWhenFree(settings: Folders, runner: ServiceRunner, options: StartOptions): Promise<number> {
  const deadline = Date.now() + leftBackendsMs;
  while (true) {
    const logStart = await sizeOf(logPath(settings));
    const pid = await launch(settings, runner, options);
    try {
      await waitUntilReady(settings, pid, logStart);
      return pid;
    } catch (error) {
      if (Date.now() > deadline || !messageOf(error).includes("pre-existing shared memory block")) throw error;
      await delay(leftBackendsPollMs);
    }
  }
}

/** Stops the embedded server if it runs: connections are broken, nothing acknowledged is lost. */
export async function stopEmbeddedPostgres(settings: Folders): Promise<void> {
  const pid = await findPostmaster(settings);
  if (!pid) return;
  // "Fast" and "immediate" shutdown: https://www.postgresql.org/docs/current/server-shutdown.html
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    process.kill(pid, signal);
    const deadline = Date.now() + stopTimeoutMs;
    while (Date.now() < deadline) {
      if ((await findPostmaster(settings)) !== pid) return;
      await delay(pollMs);
    }
  }
  throw new CumulusError("unavailable", `PostgreSQL (process ${pid}) does not stop: see ${logPath(settings)}.`);
}

/** The pid of the embedded server, if it runs. */
export function findPostmaster(settings: Folders): Promise<number | undefined> {
  return findPostmasterOf(pathsOf(settings).postgresData);
}

async function makeFolders(settings: Folders, account: ServiceAccount | undefined): Promise<void> {
  const { logs, postgresSocketDir } = pathsOf(settings);
  for (const path of [settings.dataDir, settings.runDir, logs]) await makeSharedFolder(path, account);
  await makeOwnFolder(postgresSocketDir, account);
}

async function makeOwnFolder(path: string, owner: ServiceAccount | undefined): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o700);
  if (owner) await chown(path, owner.uid, owner.gid);
}

async function ensureCluster(
  settings: Folders,
  account: ServiceAccount | undefined,
  runner: ServiceRunner,
): Promise<void> {
  const folder = pathsOf(settings).postgresData;
  if ((await sizeOf(join(folder, "PG_VERSION"))) > 0) return;
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  await makeOwnFolder(draft, account);
  const { initdb } = await findPostgresBinaries();
  const [file, ...args] = runner.command([
    runner.pathOf(initdb),
    `--pgdata=${draft}`,
    `--username=${embeddedDatabase.user}`,
    // Whoever reaches the socket is its user: the folder's mode is the guard.
    "--auth=trust",
    "--encoding=UTF8",
    // The same order of strings on every platform.
    ...["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"],
    "--data-checksums",
    "--no-instructions",
  ]);
  const made = await execa(file, args, {
    reject: false,
    cwd: projectDir,
    env: serverEnvironment,
    extendEnv: false,
    all: true,
  });
  if (made.exitCode !== 0) {
    await rm(draft, { recursive: true, force: true });
    throw new CumulusError(
      "unavailable",
      `The database could not be made: ${lastWords(made.all ?? "") || made.message}`,
    );
  }
  await rename(draft, folder);
  await syncFolder(settings.dataDir);
}

/** Nothing of the caller's environment changes how the server runs (it reads PGPORT, PGDATA, TZ and others). */
const serverEnvironment = serviceEnvironment({ LC_ALL: "C", TZ: "UTC" });

const serverSettings: Record<string, string> = {
  listen_addresses: "",
  port: "5432",
  unix_socket_permissions: "0700",
  max_connections: "60",
  shared_buffers: "64MB",
  // Not in /dev/shm: containers make it tiny, and systemd empties it when a user logs out.
  dynamic_shared_memory_type: "mmap",
  fsync: "on",
  log_timezone: "UTC",
  timezone: "UTC",
  log_line_prefix: "%m [%p] ",
  log_checkpoints: "off",
};

async function launch(settings: Folders, runner: ServiceRunner, options: StartOptions): Promise<number> {
  const { postgresData, postgresSocketDir } = pathsOf(settings);
  await removeStalePidFile(postgresData);
  const { postgres: binary } = await findPostgresBinaries();
  const parameters = { ...serverSettings, unix_socket_directories: postgresSocketDir };
  const argv = [runner.pathOf(binary), "-D", postgresData];
  for (const [name, value] of Object.entries(parameters)) argv.push("-c", `${name}=${value}`);
  if (options.endsWithParent && platform() === "linux") argv.unshift("setpriv", "--pdeathsig", "INT", "--");
  const [file, ...args] = runner.command(argv);
  const log = await open(logPath(settings), "a", 0o600);
  try {
    const child = spawn(file, args, {
      cwd: projectDir,
      env: serverEnvironment,
      // A session of its own: Ctrl-C in the terminal is the supervisor's to handle.
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    });
    await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    child.unref();
    if (child.pid === undefined) throw new Error("PostgreSQL was spawned without a pid.");
    return child.pid;
  } finally {
    await log.close();
  }
}

/**
 * PostgreSQL refuses to start when its old pid has gone to another process of the same user. When the pid is free, PostgreSQL itself clears up. That of a
 * server which somebody else has just started stays: without its file that server would end by itself, after a minute.
 */
async function removeStalePidFile(folder: string): Promise<void> {
  const left = await readPostmasterFile(folder);
  if (left === null || (await startTimeOf(left.pid)) === null) return;
  if ((await findPostmasterOf(folder)) === undefined) await rm(join(folder, "postmaster.pid"));
}

/** Whether the server that runs can be used: it may have been about to end. */
async function adopt(settings: Folders, pid: number): Promise<boolean> {
  try {
    await waitUntilReady(settings, pid, 0);
    await ensureDatabase(settings);
    return true;
  } catch (error) {
    // One that ends lets nobody in any more, and is there for a moment still.
    if (!(await hasEnded(pid, isOfEnding(error) ? stopTimeoutMs : goneMs))) throw error;
    return false;
  }
}

const endingCodes = new Set(["57P01", "57P02", "57P03", "ECONNREFUSED", "ECONNRESET"]);

/** Whether a connection failed as it does with a server that shuts down. */
function isOfEnding(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  return endingCodes.has(code) || error.message.startsWith("Connection terminated");
}

async function hasEnded(pid: number, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while ((await startTimeOf(pid)) !== null) {
    if (Date.now() >= deadline) return false;
    await delay(pollMs);
  }
  return true;
}

async function waitUntilReady(settings: Folders, pid: number, logStart: number): Promise<void> {
  const folder = pathsOf(settings).postgresData;
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline) {
    const file = await readPostmasterFile(folder);
    if (file?.pid === pid && file.isReady) return;
    if ((await startTimeOf(pid)) === null) {
      const written = (await readFile(logPath(settings))).subarray(logStart).toString("utf8");
      const said = lastWords(
        written
          .split("\n")
          .filter((line) => !lastOfBackends.test(line))
          .join("\n"),
      );
      throw new CumulusError("unavailable", `PostgreSQL did not start: ${said} (${logPath(settings)})`);
    }
    await delay(pollMs);
  }
  throw new CumulusError(
    "unavailable",
    `PostgreSQL was not ready after ${startTimeoutMs / 1000} s: see ${logPath(settings)}.`,
  );
}

async function ensureDatabase(settings: Folders): Promise<void> {
  const { user, database } = embeddedDatabase;
  const client = new pg.Client({ host: pathsOf(settings).postgresSocketDir, user, database: "postgres" });
  // A connection that breaks after its last answer would end this process; of one that breaks before, the query tells.
  client.on("error", () => undefined);
  try {
    await client.connect();
    const found = await client.query("select 1 from pg_database where datname = $1", [database]);
    if (found.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
  } finally {
    await client.end();
  }
}

function logPath(settings: Folders): string {
  return join(pathsOf(settings).logs, "postgres.log");
}

/** Said by the backends of a server that was killed, in the log of the one that is started in its place. */
const lastOfBackends = /\bFATAL: +terminating connection /;

/** The last line in which a program of PostgreSQL says what is wrong, without its prefix. */
function lastWords(output: string): string {
  const lines = output.trim().split("\n");
  const telling = lines.filter((line) => /\b(FATAL|PANIC|error):/.test(line));
  return (telling.at(-1) ?? lines.at(-1) ?? "").replace(/^.*?(?=\b(FATAL|PANIC|error):)/, "");
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return 0;
    throw error;
  }
}
