import { readFile, readlink, realpath } from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import { isErrno, readTextIfThere } from "../system/files";
import { commandLineOf } from "../system/platform";

/** What `postmaster.pid` in a data folder says of the server there. */
export interface PostmasterFile {
  pid: number;
  /** Whether it accepts connections. */
  isReady: boolean;
}

/**
 * Reads `postmaster.pid`: pid, data folder, start time, port, socket folder, address, shared memory, status, a line each (PostgreSQL's
 * pidfile.h). Null when there is none, or it is being written.
 */
export async function readPostmasterFile(dataFolder: string): Promise<PostmasterFile | null> {
  const lines = (await readTextIfThere(join(dataFolder, "postmaster.pid")))?.split("\n") ?? [];
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 1 ? { pid, isReady: lines[7]?.trim() === "ready" } : null;
}

/** The pid of the running server of a data folder. A pid that now names something else doesn't count. */
export async function findPostmasterOf(dataFolder: string): Promise<number | undefined> {
  const file = await readPostmasterFile(dataFolder);
  return file && (await isPostmasterOf(file.pid, dataFolder)) ? file.pid : undefined;
}

/** PostgreSQL works in its data folder, so that a process which doesn't is not this server. */
async function isPostmasterOf(pid: number, dataFolder: string): Promise<boolean> {
  if (platform() !== "linux") {
    const commandLine = await commandLineOf(pid);
    return commandLine?.includes("postgres") === true && commandLine.includes(dataFolder);
  }
  try {
    const [workingFolder, own] = await Promise.all([readlink(`/proc/${pid}/cwd`), realpath(dataFolder)]);
    return workingFolder === own && (await readFile(`/proc/${pid}/comm`, "utf8")).trim() === "postgres";
  } catch (error) {
    // Gone, a zombie (no working folder), or another user's: PostgreSQL runs as us, or we are root.
    if (isErrno(error, "ENOENT", "ESRCH", "EACCES", "EPERM")) return false;
    throw error;
  }
}
