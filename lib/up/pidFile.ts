import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Settings } from "../env";
import { isErrno, readTextIfThere, writeFileAtomic } from "../system/files";
import { hostBootId, isAlive, type ProcessIdentity, startTimeOf } from "../system/platform";

/** What a pid file says: a process that can't be mistaken for a later one with its pid, also across a reboot. */
const recordSchema = z.object({ pid: z.number().int().positive(), startTime: z.string(), bootId: z.string() });
type PidRecord = z.infer<typeof recordSchema>;

export type Part = "up" | "console" | "agent";

export function pidFileOf(part: Part, settings: Pick<Settings, "runDir">): string {
  return join(settings.runDir, `${part}.pid`);
}

/** The process that a pid file names, if it still runs: not another that got its pid. */
export async function readPidFile(path: string): Promise<ProcessIdentity | undefined> {
  const record = await readRecord(path);
  return record && (await isRunning(record)) ? record : undefined;
}

/** Writes the pid file of a process; nothing when it has ended already. */
export async function writePidFile(path: string, pid: number): Promise<void> {
  const record = await recordOf(pid);
  if (record) await writeFileAtomic(path, JSON.stringify(record));
}

/**
 * Makes this process the holder of a pid file, also of one that a dead process left. Answers the present holder when another process
 * is it. Of many that try at once, one wins.
 */
export function claimPidFile(path: string): Promise<ProcessIdentity | undefined> {
  return exclusively(`${path}.lock`, async () => {
    const holder = await readPidFile(path);
    if (!holder) await writePidFile(path, process.pid);
    return holder;
  });
}

/** Holding the lock takes milliseconds: one this old is a crashed process'. */
const staleLockMs = 10_000;

/** Runs what only one process may do at a time. A folder is the lock: making one is atomic everywhere. */
async function exclusively<Result>(lock: string, act: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      await mkdir(lock);
      break;
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
    }
    const ageMs = Date.now() - (await madeAt(lock));
    if (ageMs > staleLockMs) await rm(lock, { recursive: true, force: true });
    else await delay(20);
  }
  try {
    return await act();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

/** Milliseconds since the epoch; now for what has just gone. */
async function madeAt(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return Date.now();
    throw error;
  }
}

async function recordOf(pid: number): Promise<PidRecord | undefined> {
  const startTime = await startTimeOf(pid);
  return startTime === null ? undefined : { pid, startTime, bootId: await hostBootId() };
}

async function isRunning(record: PidRecord): Promise<boolean> {
  return record.bootId === (await hostBootId()) && (await isAlive(record));
}

/** What the file says, or undefined when it is missing or was cut short by a crash. */
async function readRecord(path: string): Promise<PidRecord | undefined> {
  const text = await readTextIfThere(path);
  try {
    return text === null ? undefined : recordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
