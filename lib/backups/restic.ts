import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { execa, type ResultPromise } from "execa";
import { locationOf, type RepositoryAccess } from "../domain/backup";
import { CumulusError, messageOf } from "../domain/errors";
import { checkRequirements, fulfil, type Prerequisites } from "../images/requirements";
import { isErrno } from "../system/files";
import { mortal } from "../system/mortal";
import { failureOf, keepsNothing, noAnswer, stoppedAnswering } from "./failure";
import { watchForStall } from "./stall";

/**
 * restic(1), which keeps the copies: encrypted with the repository's password, split by content so that a copy of a disk that changed
 * a little takes little. What opens the repository goes by the environment: command lines can be read by everybody.
 */

/** The repository as restic's environment names it (restic manual, "Environment Variables"). */
function environmentOf({ place, password }: RepositoryAccess): Record<string, string> {
  const shared = { RESTIC_PASSWORD: password, PATH: process.env.PATH ?? "/usr/bin:/bin", GOMAXPROCS: "2", TZ: "UTC" };
  if (place.kind === "folder") return { ...shared, RESTIC_REPOSITORY: place.path };
  const { accessKeyId, secretAccessKey } = place;
  return {
    ...shared,
    RESTIC_REPOSITORY: `s3:${locationOf(place)}`,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
}

const installMs = 180_000;
/** What a call may take that moves next to nothing. A store that is busy is asked again by restic for some 15 s. */
const shortMs = 60_000;
/** How long a run may get nowhere that may take any time as a whole. */
const stallMs = 5 * 60_000;
const lockPollMs = 3_000;
const lockWaitMs = 10 * 60_000;

/** Whether copies can be made here. */
function resticPrerequisites(): Promise<Prerequisites> {
  return checkRequirements("Backing up to a repository", [{ needs: "restic", aptPackage: "restic" }]);
}

export interface ResticOptions {
  signal?: AbortSignal | undefined;
  /** Where it runs: what it is told to keep is named from here. */
  cwd?: string;
  timeoutMs?: number;
  stallMs?: number;
}

type Restic = ResultPromise & { stdout: Readable };

/** Runs restic and gives each line of its output, which with `--json` is an object a line. Rejects with the reason when it fails, or gets nowhere. */
export async function runRestic(
  access: RepositoryAccess,
  args: string[],
  options: ResticOptions = {},
  onLine: (line: string) => void = () => {},
): Promise<void> {
  let lineBytes = 0;
  const take = async (output: Readable) => {
    for await (const line of createInterface({ input: output })) {
      lineBytes += Buffer.byteLength(line) + 1;
      onLine(line);
    }
  };
  await carryOut(access, args, options, take, () => lineBytes);
}

/** As `runRestic`; the output goes where `take` puts it. */
export async function streamRestic(
  access: RepositoryAccess,
  args: string[],
  options: ResticOptions,
  take: (output: Readable) => Promise<void>,
): Promise<void> {
  await carryOut(access, args, options, take, () => 0);
}

async function carryOut(
  access: RepositoryAccess,
  args: string[],
  options: ResticOptions,
  take: (output: Readable) => Promise<void>,
  chatter: () => number,
): Promise<void> {
  const command = mortal({ program: "restic", args: ["--no-cache", ...args] });
  const ending = new AbortController();
  const { signal, cwd, timeoutMs } = options;
  const restic = execa(command.program, command.args, {
    env: environmentOf(access),
    extendEnv: false,
    stdin: "ignore",
    reject: false,
    buffer: { stdout: false },
    cancelSignal: AbortSignal.any([ending.signal, ...(signal ? [signal] : [])]),
    ...(cwd !== undefined && { cwd }),
    ...(timeoutMs !== undefined && { timeout: timeoutMs }),
  }) as unknown as Restic;
  const limitMs = options.stallMs ?? stallMs;
  let isStalled = false;
  const stopWatching = watchForStall(restic.pid, limitMs, chatter, () => {
    isStalled = true;
    ending.abort();
  });
  try {
    await take(restic.stdout);
    const end = await restic;
    if (!end.failed) return;
    signal?.throwIfAborted();
    throw isStalled ? stoppedAnswering(access.place, limitMs) : failureOfRun(access, end, timeoutMs);
  } finally {
    stopWatching();
    ending.abort();
  }
}

interface ResticEnd {
  stderr?: unknown;
  code?: string | undefined;
  exitCode?: number | undefined;
  timedOut?: boolean;
  shortMessage?: string;
}

/** Why restic failed. */
function failureOfRun({ place }: RepositoryAccess, end: ResticEnd, timeoutMs: number | undefined): CumulusError {
  // 127: setpriv, which starts it, found none.
  if (end.code === "ENOENT" || end.exitCode === 127) {
    return new CumulusError(
      "unavailable",
      "The program restic is not installed on this host: install it and try again.",
    );
  }
  if (end.timedOut && timeoutMs !== undefined) return noAnswer(place, timeoutMs);
  const said = typeof end.stderr === "string" ? end.stderr.trim() : "";
  return failureOf(place, said || (end.shortMessage ?? ""));
}

/**
 * Carries out what locks the repository, from its beginning each time. A lock of a run that is dead is removed; one of a run that lives, of another installation say, is waited
 * for. Rejects with `conflict` when that takes too long.
 */
export async function whenUnlocked(
  access: RepositoryAccess,
  options: ResticOptions,
  act: () => Promise<void>,
): Promise<void> {
  const deadlineMs = Date.now() + lockWaitMs;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const isLocked = error instanceof CumulusError && error.code === "conflict";
      if (!isLocked || Date.now() > deadlineMs) throw error;
      // Removes only what restic finds stale: of a process of this host that is no more, or half an hour old.
      await runRestic(access, ["unlock"], { timeoutMs: shortMs, ...options });
      await delay(lockPollMs, undefined, { signal: options.signal });
    }
  }
}

/**
 * Opens a repository, and makes it where there is none. A folder must be empty or a repository already: nothing else of the host's is written into.
 * @throws `bad_request` naming the field for what is likely wrong with the place, `unavailable` for a store that is busy
 */
export async function makeRepository(access: RepositoryAccess, options: ResticOptions = {}): Promise<void> {
  await assertUsableFolder(access);
  await installRestic(options);
  try {
    if (await isRepository(access, options)) return;
    await runRestic(access, ["init"], { timeoutMs: shortMs, ...options });
    // What answers everything with "OK" has kept nothing.
    if (!(await isRepository(access, options))) throw keepsNothing(access.place);
  } catch (error) {
    if (!(error instanceof CumulusError) || error.fields === undefined) throw error;
    throw new CumulusError("bad_request", error.message, { fields: error.fields, cause: error.cause });
  }
}

/**
 * Opens a repository that was made before. None is made in its place: where the disk that holds it isn't mounted there is an empty folder, and copies would
 * go to the host's own disk.
 */
export async function openRepository(access: RepositoryAccess, options: ResticOptions = {}): Promise<void> {
  await installRestic(options);
  if (await isRepository(access, options)) return;
  const { place } = access;
  throw new CumulusError(
    "unavailable",
    place.kind === "folder"
      ? `There is no repository in ${place.path} any more. Is the disk that holds it mounted?`
      : `There is no repository in the bucket ${place.bucket} any more. Was it emptied, or the prefix changed?`,
  );
}

async function isRepository(access: RepositoryAccess, options: ResticOptions): Promise<boolean> {
  try {
    await runRestic(access, ["cat", "config", "--no-lock"], { timeoutMs: shortMs, ...options });
    return true;
  } catch (error) {
    if (error instanceof CumulusError && error.code === "not_found") return false;
    throw error;
  }
}

async function installRestic({ signal = AbortSignal.timeout(installMs) }: ResticOptions): Promise<void> {
  await fulfil(resticPrerequisites, { report: { progress() {}, log() {} }, signal });
}

async function assertUsableFolder({ place }: RepositoryAccess): Promise<void> {
  if (place.kind !== "folder") return;
  const names = await readdir(place.path).catch((error: unknown) => {
    if (isErrno(error, "ENOENT", "ENOTDIR")) {
      throw refusedFolder(`There is no folder ${place.path} on the host. Make it, or mount the disk, then try again.`);
    }
    throw refusedFolder(failureOf(place, messageOf(error)).message);
  });
  const isRepository = names.includes("config") && names.includes("keys") && names.includes("data");
  if (names.length === 0 || isRepository || (await isHalfMade(place.path, names))) return;
  throw refusedFolder(`${place.path} holds other files. Choose an empty folder, or one that holds backups already.`);
}

/** The longest that `restic init` needs between its first file and its last. */
const initMs = 10_000;

/** The folders that `restic init` makes before it writes the file that makes them a repository. */
const resticFolders = ["data", "index", "keys", "locks", "snapshots"];

/** Whether `restic init` was ended in there before it was done. The key that it may have left fits nothing, and would be tried first: it goes. */
async function isHalfMade(path: string, names: string[]): Promise<boolean> {
  if (!names.every((name) => resticFolders.includes(name))) return false;
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  if (!files.every(({ parentPath }) => parentPath === join(path, "keys"))) return false;
  const keys = files.map(({ name }) => join(path, "keys", name));
  for (const key of keys) {
    if (Date.now() - (await stat(key)).mtimeMs > initMs) continue;
    throw new CumulusError(
      "unavailable",
      `${path} was begun as a repository a moment ago and is none yet: try again.`,
      {
        retryAfterSeconds: initMs / 1000,
      },
    );
  }
  for (const key of keys) await rm(key);
  return true;
}

function refusedFolder(message: string): CumulusError {
  return new CumulusError("bad_request", message, { fields: { "place.path": message } });
}
