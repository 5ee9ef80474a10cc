import { spawn } from "node:child_process";
import { chmod, chown, mkdir, open, readFile, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import postgres from "postgres";
import { CumulusError } from "../domain/errors";
import { pathsOf, type Settings } from "../env";
import { projectDir } from "../paths";
import {
  ensureServiceAccount,
  type ServiceAccount,
  type ServiceRunner,
  serviceEnvironment,
  serviceRunner,
} from "../serviceAccount";
import { embeddedDatabase } from "./client";
import { findPostgresBinaries } from "./postgresBinaries";

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
  if (found) {
    await waitUntilReady(settings, found, 0);
    await ensureDatabase(settings);
    return { pid: found, wasRunning: true };
  }
  const account = await ensureServiceAccount();
  await makeFolders(settings, account);
  const runner = await serviceRunner(account, settings);
  await ensureCluster(settings, account, runner);
  const logStart = await sizeOf(logPath(settings));
  const pid = await launch(settings, runner, options);
  await waitUntilReady(settings, pid, logStart);
  await ensureDatabase(settings);
  return { pid, wasRunning: false };
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

/** The pid of the running server of this data folder. A pid that now names something else doesn't count. */
export async function findPostmaster(settings: Folders): Promise<number | undefined> {
  const folder = pathsOf(settings).postgresData;
  const pid = Number((await readPostmasterFile(folder))[0]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  return (await isPostmasterOf(pid, folder)) ? pid : undefined;
}

/** Lines of `postmaster.pid`: pid, data folder, start time, port, socket folder, address, shared memory, status. */
async function readPostmasterFile(folder: string): Promise<string[]> {
  try {
    return (await readFile(join(folder, "postmaster.pid"), "utf8")).split("\n");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** PostgreSQL works in its data folder, so that a process which doesn't is not this server. */
async function isPostmasterOf(pid: number, folder: string): Promise<boolean> {
  if (platform() !== "linux") {
    const { stdout, exitCode } = await execa("ps", ["-ww", "-o", "command=", "-p", String(pid)], { reject: false });
    return exitCode === 0 && stdout.includes("postgres") && stdout.includes(folder);
  }
  try {
    const [workingFolder, own] = await Promise.all([readlink(`/proc/${pid}/cwd`), realpath(folder)]);
    const name = await readFile(`/proc/${pid}/comm`, "utf8");
    return workingFolder === own && name.trim() === "postgres";
  } catch (error) {
    // Gone, a zombie (no working folder), or another user's: PostgreSQL runs as us or we are root.
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(codeOf(error) ?? "")) return false;
    throw error;
  }
}

async function makeFolders(settings: Folders, account: ServiceAccount | undefined): Promise<void> {
  const { logs, postgresSocketDir } = pathsOf(settings);
  // Several users pass through the shared folders when root starts them; what is in them is each one's own.
  const sharedMode = account ? 0o711 : 0o700;
  for (const path of [settings.dataDir, settings.runDir, logs]) await makeFolder(path, sharedMode);
  await makeFolder(postgresSocketDir, 0o700, account);
}

async function makeFolder(path: string, mode: number, owner?: ServiceAccount): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, mode);
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
  await makeFolder(draft, 0o700, account);
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
 * PostgreSQL refuses to start when its old pid has gone to another process of the same user. `findPostmaster` has just found that it
 * isn't a server of this folder; when the pid is free, PostgreSQL itself clears up.
 */
async function removeStalePidFile(folder: string): Promise<void> {
  const pid = Number((await readPostmasterFile(folder))[0]);
  if (pid > 0 && isAlive(pid)) await rm(join(folder, "postmaster.pid"));
}

async function waitUntilReady(settings: Folders, pid: number, logStart: number): Promise<void> {
  const folder = pathsOf(settings).postgresData;
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline) {
    const lines = await readPostmasterFile(folder);
    if (Number(lines[0]) === pid && lines[7]?.trim() === "ready") return;
    if (!isAlive(pid)) {
      const said = (await readFile(logPath(settings), "utf8")).slice(logStart);
      throw new CumulusError("unavailable", `PostgreSQL did not start: ${lastWords(said)} (${logPath(settings)})`);
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
  const sql = postgres({ host: pathsOf(settings).postgresSocketDir, port: 5432, user, database: "postgres", max: 1 });
  try {
    const found = await sql`select 1 from pg_database where datname = ${database}`;
    if (found.length === 0) await sql`create database ${sql(database)}`;
  } finally {
    await sql.end();
  }
}

function logPath(settings: Folders): string {
  return join(pathsOf(settings).logs, "postgres.log");
}

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
    if (codeOf(error) === "ENOENT") return 0;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
