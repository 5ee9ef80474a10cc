import { setTimeout as delay } from "node:timers/promises";
import { isAlive, type ProcessIdentity } from "../system/platform";

/** Asks a process to end, then ends it by force at the deadline. A process that only has its pid is left alone. */
export async function endProcess(identity: ProcessIdentity, timeoutMs: number): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (!(await isAlive(identity))) return;
    process.kill(identity.pid, signal);
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline) {
      if (!(await isAlive(identity))) return;
      await delay(25);
    }
  }
  // Whoever waits on a busy machine may wake after the deadline.
  if (!(await isAlive(identity))) return;
  throw new Error(`The process ${identity.pid} does not end, even by force.`);
}
