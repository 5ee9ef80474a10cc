import { writeFileSync } from "node:fs";
import type { MachineSpec } from "../../domain/machine";
import type { Settings } from "../../env";
import type { Failpoint } from "../../failpoints";
import { createQemuHypervisor } from "../qemuHypervisor";

/**
 * An agent for fault tests, to be run as a process of its own: it makes and starts a VM, stops and removes it, and ends by SIGKILL where it
 * is told to. Its one argument is JSON.
 */
const { settings, spec, failpoint }: { settings: Settings; spec: MachineSpec; failpoint: Failpoint } = JSON.parse(
  process.argv[2] ?? "",
);
writeFileSync(process.env.CUMULUS_FAILPOINT_FILE ?? "", `${failpoint} ${process.pid}`);
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
