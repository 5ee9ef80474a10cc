import { rm } from "node:fs/promises";
import { findPostmaster, stopEmbeddedPostgres } from "../db/embedded";
import type { Settings } from "../env";
import { removeNetworks } from "../hypervisor/network/removeNetworks";
import { endLeftover } from "./childService";
import { endProcess } from "./endProcess";
import { pidFileOf, readPidFile } from "./pidFile";
import type { Progress } from "./progress";
import { countRunningVms, stopVms } from "./stopVms";

/** The supervisor itself waits for console, agent and database to end in good order. */
const supervisorTimeoutMs = 90_000;

/**
 * Stops supervisor, console, agent and database, and VMs with their networks if asked.
 * @returns whether anything ran, and how many VMs still do; undefined when nobody could say
 */
export async function takeDown(
  settings: Settings,
  progress: Progress,
  { vms }: { vms: boolean },
): Promise<{ hasRun: boolean; runningVms: number | undefined }> {
  if (vms) await progress.step("VMs", () => stopVms(settings));
  const runningVms = await countRunningVms(settings);
  let hasRun = false;
  const end = async (name: string, act: () => Promise<boolean>) => {
    if (await progress.step(name, act)) hasRun = true;
  };
  const supervisor = await readPidFile(pidFileOf("up", settings));
  await end("supervisor", async () => {
    if (supervisor) await endProcess(supervisor, supervisorTimeoutMs);
    await rm(pidFileOf("up", settings), { force: true });
    return supervisor !== undefined;
  });
  // Each part by itself as well: a supervisor that was killed has left them.
  for (const part of ["console", "agent"] as const) await end(part, () => endLeftover(part, settings));
  await end("database", async () => {
    const isRunning = (await findPostmaster(settings)) !== undefined;
    await stopEmbeddedPostgres(settings);
    return isRunning;
  });
  // When nobody is there any more to bring them back.
  if (vms) await removeNetworks(settings.runDir);
  return { hasRun, runningVms };
}
