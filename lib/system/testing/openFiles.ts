import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { isErrno } from "../files";

/** The files that a process has open (proc(5), /proc/PID/fd); one that it closes meanwhile is left out. */
export function openFilesOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      return [readlinkSync(join(folder, fd))];
    } catch (error) {
      if (isErrno(error, "ENOENT")) return [];
      throw error;
    }
  });
}
