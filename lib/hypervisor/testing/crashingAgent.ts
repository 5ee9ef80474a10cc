import type { MachineSpec } from "../../domain/machine";
import type { Settings } from "../../env";
import { createQemuHypervisor } from "../qemuHypervisor";

/**
 * An agent for fault tests, to be run as a process of its own with `CUMULUS_FAILPOINT_FILE` set: it makes and starts a VM, stops and removes
 * it, and ends by SIGKILL on its way. Its one argument is JSON.
 */
const { settings, spec }: { settings: Settings; spec: MachineSpec } = JSON.parse(process.argv[2] ?? "");
const silent = () => {};
const hypervisor = createQemuHypervisor({
  settings,
  log: { debug: silent, info: silent, warn: silent, error: silent },
});

async function main(): Promise<void> {
  await hypervisor.recover();
  await hypervisor.ensure(spec);
  await hypervisor.start(spec.id);
  await hypervisor.stop(spec.id);
  await hypervisor.remove(spec.id);
  await hypervisor.close();
}

void main();
