import { readdirSync, readFileSync } from "node:fs";
import type { Settings } from "../../env";

/** The processes of an installation that take a guest's memory from its QEMU. */
export function receiverPids({ runDir }: Pick<Settings, "runDir">): number[] {
  const pids = readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0);
  return pids.filter((pid) => {
    const line = commandLineOf(pid);
    return line.includes("receiveMemory") && line.includes(runDir);
  });
}

/** Of a process that may be gone. */
function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
