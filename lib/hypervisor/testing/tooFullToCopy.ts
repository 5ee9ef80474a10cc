import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TaskReport } from "../../domain/task";

/** Left free, for records of VMs that are written meanwhile. */
const freeBytes = 1024 * 1024;

/**
 * Fills a folder's file system while a guest's memory is copied into it, so that this is given up, and empties it then: the memory is kept by the other way.
 * @param folder of a file system of its own
 */
export function tooFullToCopy(folder: string, { progress, log }: TaskReport): TaskReport {
  const ballast = join(folder, "ballast");
  let isFull = false;
  return {
    progress: (percent, message, transfer) => {
      if (!isFull && message === "Writing the memory.") {
        const { bavail, bsize } = statfsSync(folder);
        writeFileSync(ballast, Buffer.alloc(bavail * bsize - freeBytes));
        isFull = true;
      }
      progress(percent, message, transfer);
    },
    log: (line) => {
      if (line.includes("the guest is held longer")) rmSync(ballast);
      log(line);
    },
  };
}
