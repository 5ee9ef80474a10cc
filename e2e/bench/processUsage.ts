import { readFile } from "node:fs/promises";

/** Kernel ticks a second: USER_HZ is 100 on every architecture that Node.js runs on (proc(5), times(2)). */
const ticksPerSecond = 100;

/** Resident memory of a process, in bytes. Linux only. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Processor time that a process has used, in seconds, to 10 ms. Linux only. */
export async function processorSeconds(pid: number): Promise<number> {
  const fields = await statFields(pid);
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** When a process was started, in seconds since the computer was, to 10 ms: on the clock of `uptimeSeconds`. Linux only. */
export async function startedAtSeconds(pid: number): Promise<number> {
  return Number((await statFields(pid))[19]) / ticksPerSecond;
}

export async function uptimeSeconds(): Promise<number> {
  return Number((await readFile("/proc/uptime", "utf8")).split(" ")[0]);
}

/** proc(5): "pid (comm) state …"; comm may hold anything, so the fields are counted from the last parenthesis on. */
async function statFields(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
