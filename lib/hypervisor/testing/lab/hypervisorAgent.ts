import { networkStateSchema } from "../../../domain/hostNetwork";
import { machineSpecSchema } from "../../../domain/machine";
import type { Settings } from "../../../env";
import { createQemuHypervisor } from "../../qemuHypervisor";
import { answerLines, errorLog } from "./answerLines";

const report = { progress: () => {}, log: () => {} };
const { signal } = new AbortController();

/** An agent's hypervisor as a process of its own, to be run in a test's namespace and killed. Its one argument is the settings as JSON. */
async function main(): Promise<void> {
  const settings: Settings = JSON.parse(process.argv[2] ?? "");
  const hypervisor = createQemuHypervisor({ settings, log: errorLog });
  await hypervisor.recover();
  const calls: Record<string, (args: unknown[]) => Promise<unknown>> = {
    applyNetworks: ([state]) => hypervisor.applyNetworks(networkStateSchema.parse(state)),
    networkStatus: () => hypervisor.networkStatus(),
    ensure: ([spec]) => hypervisor.ensure(machineSpecSchema.parse(spec)),
    start: ([id]) => hypervisor.start(Number(id)),
    pause: ([id]) => hypervisor.pause(Number(id)),
    resume: ([id]) => hypervisor.resume(Number(id)),
    reboot: ([id, operationId, deadlineMs]) => hypervisor.reboot(Number(id), Number(operationId), Number(deadlineMs)),
    stop: ([id]) => hypervisor.stop(Number(id)),
    remove: ([id]) => hypervisor.remove(Number(id)),
    takeMemory: ([id, snapshotId, operationId]) => {
      const ask = { snapshotId: Number(snapshotId), operationId: Number(operationId), memory: true, freeze: false };
      return hypervisor.takeSnapshot(Number(id), ask, report, signal);
    },
    restore: ([id, snapshotId, operationId]) => {
      const ask = { snapshotId: Number(snapshotId), operationId: Number(operationId) };
      return hypervisor.restoreSnapshot(Number(id), ask, report, signal);
    },
    observe: ([id]) => hypervisor.observe(Number(id)),
    diagnose: ([id, link, port]) => hypervisor.diagnose(Number(id), String(link), Number(port)),
    host: () => hypervisor.host(),
  };
  await answerLines(async (method, args) => calls[method]?.(args));
  await hypervisor.close();
}

void main();
