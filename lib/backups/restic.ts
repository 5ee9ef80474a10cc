import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { execa, type ResultPromise } from "execa";
import { locationOf, type RepositoryAccess } from "../domain/backup";
import { CumulusError } from "../domain/errors";
import { mortal } from "../system/mortal";
import { failureOf, noAnswer, stoppedAnswering } from "./failure";
import { watchWritten } from "./movedBytes";
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

/** What a call may take that moves next to nothing. A store that is busy is asked again by restic for some 15 s. */
export const shortMs = 60_000;
/** How long a run may get nowhere that may take any time as a whole. */
const stallMs = 5 * 60_000;
const lockPollMs = 3_000;
const lockWaitMs = 10 * 60_000;

export interface ResticOptions {
  signal?: AbortSignal | undefined;
  /** Where it runs: what it is told to keep is named from here. */
  cwd?: string;
  timeoutMs?: number;
  stallMs?: number;
  /** How long the lock of a run that lives is waited for. */
  lockWaitMs?: number;
  /** Told now and then of the bytes that it has written by now: where it writes files, about what is in them. */
  onWritten?: (bytes: number) => void;
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
  const stopTelling = options.onWritten ? watchWritten(restic.pid, options.onWritten) : () => {};
  try {
    await take(restic.stdout);
    const end = await restic;
    if (!end.failed) return;
    signal?.throwIfAborted();
    throw isStalled ? stoppedAnswering(access.place, limitMs) : failureOfRun(access, end, timeoutMs);
  } finally {
    stopWatching();
    stopTelling();
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
  const deadlineMs = Date.now() + (options.lockWaitMs ?? lockWaitMs);
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
