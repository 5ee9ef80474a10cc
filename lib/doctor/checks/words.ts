import { basename, dirname } from "node:path";
import type { Disagreement, MachineFact, ProcessFact, Snapshot, VmFact } from "../snapshot";

/** How a VM is called in a sentence. */
export function nameOf({ name, id }: VmFact): string {
  return `VM ${name} (id ${id})`;
}

/** How anything is called that belongs to a VM by its id, which may be no live VM's. */
export function nameOfId(snapshot: Snapshot, id: number): string {
  const vm = snapshot.vms.find((one) => one.id === id);
  return vm ? nameOf(vm) : `VM id ${id}`;
}

export function machineOf(snapshot: Snapshot, vm: VmFact): MachineFact | undefined {
  return snapshot.machines.find(({ id }) => id === vm.id);
}

/** QEMU processes that are this VM, by the uuid that QEMU itself tells, or was started with when it doesn't answer. */
export function processesOf(snapshot: Snapshot, vm: VmFact): ProcessFact[] {
  return (snapshot.processes ?? []).filter((process) => uuidOf(process) === vm.uuid);
}

export function uuidOf(process: ProcessFact): string | null {
  return process.qmp.answers ? process.qmp.uuid : process.uuid;
}

/** Values that more than one holder has, with their holders. */
export function sharedBy<T>(holders: readonly T[], valuesOf: (holder: T) => readonly string[]): Map<string, T[]> {
  const byValue = new Map<string, T[]>();
  for (const holder of holders) {
    for (const value of new Set(valuesOf(holder))) byValue.set(value, [...(byValue.get(value) ?? []), holder]);
  }
  return new Map([...byValue].filter(([, those]) => those.length > 1));
}

/** Folders of looks into snapshots, which are there as long as a look is open, or since a crash. */
export function looksIn({ files, paths }: Snapshot): string[] {
  return [...files.keys()].filter(
    (path) => dirname(path) === paths.runDir && /^(browse|guestfish)-\w{6}$/.test(basename(path)),
  );
}

/** What to do where the agent puts things right by itself. */
export const comesBack = "wait half a minute, in which the agent makes it anew; if it stays so, see the agent's log.";

/** The link of an interface in the namespace. */
export function tapOf({ vmId, interfaceId }: { vmId: number; interfaceId: string }): string {
  return `t${vmId}n${interfaceId.slice("net".length)}`;
}

export function tellOfNetworks(subject: string, message: string): Disagreement {
  return { check: "networks", subject, message };
}
