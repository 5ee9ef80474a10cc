import { rm } from "node:fs/promises";
import { findPostmaster, stopEmbeddedPostgres } from "../db/embedded";
import type { Settings } from "../env";
import { removeNetworks } from "../hypervisor/network/removeNetworks";
import { endLeftover } from "./childService";
import { endProcess } from "./endProcess";
import { pidFileOf, readPidFile } from "./pidFile";
import type { Progress } from "./progress";
import { countRunningVms, endVmsByForce, isAgentThere, stopVms } from "./stopVms";

/** The supervisor itself waits for console, agent and database to end in good order, and in a container for VMs to shut down. */
const supervisorTimeoutMs = 110_000;

export interface TakenDown {
  /** Whether anything ran that `npm run up` had started. */
  hasRun: boolean;
  /** How many VMs still run. */
  runningVms: number;
  /** Whether an agent still runs, which something else started: systemd, say. */
  isKeptByOthers: boolean;
}

/**
 * Stops supervisor, console, agent and database, and VMs with their networks if asked. What something else started is left to that.
 * @param vms `lost`: what is on their disks is to go as well, so that it does not matter how they end
 * @throws `conflict`: VMs run without an agent, which alone can shut them down
 */
export async function takeDown(
  settings: Settings,
  progress: Progress,
  { vms }: { vms: "left" | "stopped" | "lost" },
): Promise<TakenDown> {
  if (vms !== "left") {
    await progress.step("VMs", async () =>
      vms === "lost" && !(await isAgentThere(settings)) ? false : stopVms(settings),
    );
  }
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
  const isKeptByOthers = await isAgentThere(settings);
  if (vms !== "left" && !isKeptByOthers) {
    // What no agent was there to shut down, and a QEMU that is still there though its VM's end was noted.
    const forced = await endVmsByForce(settings);
    const were = forced === 1 ? "1 was" : `${forced} were`;
    if (forced > 0) progress.warn("VMs", `${were} still on, and turned off by force.`);
    // When nobody is there any more to bring them back.
    await removeNetworks(settings.runDir);
  }
  return { hasRun, runningVms: await countRunningVms(settings), isKeptByOthers };
}
