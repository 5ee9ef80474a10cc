import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
 * Makes this process the holder of a pid file. Answers the present holder when another process is it. A file that a dead process
 * left is taken over; of two that do so at once, one wins.
 */
export async function claimPidFile(path: string): Promise<ProcessIdentity | undefined> {
  const own = JSON.stringify(await recordOf(process.pid));
  for (;;) {
    try {
      await writeFile(path, own, { flag: "wx", mode: 0o600 });
      return undefined;
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
    }
    const left = await readRecord(path);
    if (left && (await isRunning(left))) return left;
    await removeStale(path, left);
  }
}

/** Moves a dead holder's file out of the way, unless somebody else has just done so and claimed it. */
async function removeStale(path: string, left: PidRecord | undefined): Promise<void> {
  const aside = `${path}.stale.${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return;
    throw error;
  }
  const moved = await readRecord(aside);
  if (moved?.pid !== left?.pid || moved?.startTime !== left?.startTime) await rename(aside, path);
  else await rm(aside, { force: true });
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
