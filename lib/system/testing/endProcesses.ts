import { readdirSync, readFileSync } from "node:fs";

/**
 * Ends by SIGKILL every process that was started on a folder of ours: its name is in the command line (QEMU, PostgreSQL) or in the environment
 * (console, agent). For a test process that ends before its time, at once and without waiting; Linux only.
 */
export function endProcessesOf(folder: string): void {
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid || !names(pid, folder)) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}

function names(pid: number, folder: string): boolean {
  return ["cmdline", "environ"].some((file) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, "utf8").includes(`${folder}/`);
    } catch {
      // It has ended, or is another user's: then it is none of ours.
      return false;
    }
  });
}
