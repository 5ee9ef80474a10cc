import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type AgentClient, createAgentClient } from "../agent/client";
import { CumulusError } from "../domain/errors";
import { type VmStatus, vmActionStatuses, vmStatuses } from "../domain/vmStatus";
import { pathsOf, type Settings } from "../env";
import { findQemus } from "../hypervisor/qemu/findQemus";
import { isErrno } from "../system/files";
import { isAlive, type ProcessIdentity } from "../system/platform";
import { callAsAdministrator, readHealth } from "./consoleClient";

/** How long a guest may take to obey the power button. */
const shutdownTimeoutMs = 60_000;
/** How long turning off by force may take after that. */
const powerOffTimeoutMs = 20_000;

const pageSchema = z.object({
  items: z.array(z.object({ id: z.number().int(), status: z.enum(vmStatuses) })),
  nextCursor: z.string().nullable(),
});
const offStatuses: readonly VmStatus[] = ["stopped", "deleting"];

/**
 * Stops all VMs: presses their power buttons, and turns off those that don't obey in time. Through the console, so that they are meant to be
 * off from then on; through the agent when the console is away: then the next start of Cumulus brings them back.
 * @returns false when there is nothing to stop, and nobody to ask
 * @throws `conflict` when VMs run without an agent, which alone can shut them down
 */
export async function stopVms(settings: Settings): Promise<boolean> {
  if ((await readHealth(settings))?.isOk) {
    await stopThroughConsole(settings);
    return true;
  }
  if (await isAgentThere(settings)) {
    await stopVmsUntilNextStart(settings);
    return true;
  }
  const left = (await findQemus(settings)).length;
  if (left === 0) return false;
  throw new CumulusError(
    "conflict",
    `${left === 1 ? "1 VM runs" : `${left} VMs run`}, and the agent, which shuts VMs down, does not: start it with \`npm run up -- --detach\`, then try again.`,
  );
}

/** Shuts all VMs down, as `stopVms` does, but through the agent while no console looks: the next start of Cumulus brings them back. */
export async function stopVmsUntilNextStart(settings: Settings): Promise<void> {
  const agent = agentOf(settings);
  const running = await runningVms(agent);
  // One that is paused, or doesn't answer, can't obey; one that can't be turned off either is tried once more, and told then.
  const turnOff = (id: number) => agent.stop(id).catch(() => undefined);
  await Promise.all(running.map((id) => agent.shutdown(id).catch(() => turnOff(id))));
  try {
    await waitUntilNone(() => runningVms(agent), shutdownTimeoutMs);
  } catch {
    const stubborn = await runningVms(agent);
    await Promise.all(stubborn.map((id) => agent.stop(id)));
  }
}

/**
 * Ends the VMs that still run, as a loss of power does, once there is no agent that would shut them down.
 * @returns how many
 * @throws `unavailable` when one doesn't end
 */
export async function endVmsByForce(settings: Pick<Settings, "runDir">): Promise<number> {
  const left = await findQemus(settings);
  for (const qemu of left) await killIfThere(qemu);
  await waitUntilNone(() => findQemus(settings), powerOffTimeoutMs);
  return left.length;
}

async function killIfThere(identity: ProcessIdentity): Promise<void> {
  if (!(await isAlive(identity))) return;
  try {
    process.kill(identity.pid, "SIGKILL");
  } catch (error) {
    if (!isErrno(error, "ESRCH")) throw error;
  }
}

/** How many VMs run now, as the agent says, or where there is none, the computer's list of processes. */
export async function countRunningVms(settings: Settings): Promise<number> {
  try {
    return (await runningVms(agentOf(settings))).length;
  } catch {
    return (await findQemus(settings)).length;
  }
}

export function isAgentThere(settings: Settings): Promise<boolean> {
  return agentOf(settings)
    .host()
    .then(
      () => true,
      () => false,
    );
}

async function stopThroughConsole(settings: Settings): Promise<void> {
  for (const { id, status } of await liveVms(settings)) {
    const action = vmActionStatuses.shutdown.includes(status) ? "shutdown" : "stop";
    await callAsAdministrator(settings, "POST", `/api/vms/${id}/${action}`);
  }
  await waitUntilNone(() => liveVms(settings), shutdownTimeoutMs + powerOffTimeoutMs);
}

async function liveVms(settings: Settings): Promise<z.infer<typeof pageSchema>["items"]> {
  const found: z.infer<typeof pageSchema>["items"] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: string = cursor === "" ? "" : `?cursor=${encodeURIComponent(cursor)}`;
    const page = pageSchema.parse(await callAsAdministrator(settings, "GET", `/api/vms${query}`));
    found.push(...page.items.filter(({ status }) => !offStatuses.includes(status)));
    cursor = page.nextCursor;
  }
  return found;
}

async function runningVms(agent: AgentClient): Promise<number[]> {
  const machines = await agent.observeAll();
  return machines.filter(({ state }) => !["absent", "stopped", "crashed"].includes(state)).map(({ id }) => id);
}

function agentOf(settings: Settings): AgentClient {
  return createAgentClient({ socketPath: pathsOf(settings).agentSocket, timeoutMs: 5_000 });
}

async function waitUntilNone(find: () => Promise<unknown[]>, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const left = await find();
    if (left.length === 0) return;
    if (Date.now() > deadline) {
      throw new CumulusError(
        "unavailable",
        `${left.length} VMs did not stop within ${timeoutMs / 1000} s: see \`npm run doctor\`.`,
      );
    }
    await delay(250);
  }
}
