import { type MachineSpec, machineSpecSchema } from "../domain/machine";
import { readTextIfThere } from "../system/files";
import { parseJson } from "../system/json";
import { type ProcessIdentity, startTimeOf } from "../system/platform";
import type { HostContext } from "./context";
import { Machine } from "./machine";
import { machinePaths } from "./machinePaths";
import { initialState, type MachineState, machineStateSchema } from "./machineState";
import { isQemuOf } from "./qemu/process";

export interface FoundProcess {
  pid: number;
  commandLine: string;
}

/**
 * Makes a VM of its folder and takes up its QEMU, if one of those that run is its. Null for a folder that can't be read: that is told, and
 * nothing is touched.
 */
export async function loadMachine(
  context: HostContext,
  id: number,
  processes: readonly FoundProcess[],
): Promise<Machine | null> {
  const paths = machinePaths(context.settings, id);
  const spec = await readSpec(paths.spec);
  if (spec?.id !== id) {
    context.log.error({ path: paths.spec }, "a folder among the VMs' holds no VM that can be read; it is left alone");
    return null;
  }
  const marks = { uuid: spec.uuid, runFolder: paths.runFolder };
  const pid = processes.find(({ commandLine }) => isQemuOf(commandLine, marks))?.pid;
  const startTime = pid === undefined ? null : await startTimeOf(pid);
  const identity: ProcessIdentity | null = pid === undefined || startTime === null ? null : { pid, startTime };
  const state = (await readState(paths.state)) ?? stateWithoutFile(context, paths.state, identity);
  const machine = new Machine(context, spec, state);
  await machine.runtime.listen();
  await machine.runtime.adopt(identity);
  return machine;
}

async function readSpec(path: string): Promise<MachineSpec | undefined> {
  return machineSpecSchema.safeParse(parseJson(await readTextIfThere(path))).data;
}

async function readState(path: string): Promise<MachineState | undefined> {
  return machineStateSchema.safeParse(parseJson(await readTextIfThere(path))).data;
}

/** Without its state, a VM counts as made just now, and is meant to be as it is found. */
function stateWithoutFile(context: HostContext, path: string, identity: ProcessIdentity | null): MachineState {
  context.log.warn({ path }, "a VM's state can't be read; it begins anew");
  const intent = identity === null ? "stopped" : "running";
  return { ...initialState(new Date().toISOString()), intent, mayLeak: true };
}
