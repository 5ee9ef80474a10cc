import type { Disagreement, ProcessFact, Snapshot, VmFact } from "../snapshot";
import { nameOf, nameOfId, sharedBy } from "./words";

const check = "sharing";

/** No two VMs have the same name, address, MAC or port, and no two QEMUs the same disk, MAC, port or socket. */
export function checkSharing(snapshot: Snapshot): Disagreement[] {
  return [...sharedInDatabase(snapshot.vms), ...sharedOnDisk(snapshot), ...sharedByProcesses(snapshot.processes ?? [])];
}

function sharedInDatabase(vms: VmFact[]): Disagreement[] {
  const kinds: [what: string, read: (vm: VmFact) => string][] = [
    ["name", (vm) => vm.name],
    ["uuid", (vm) => vm.uuid],
    ["MAC", (vm) => vm.mac],
    ["address", (vm) => `${vm.ipv4} of network ${vm.networkId}`],
    ["SSH port", (vm) => `${vm.sshHostPort} of host ${vm.hostId}`],
  ];
  return kinds.flatMap(([what, read]) =>
    [...sharedBy(vms, (vm) => [read(vm)])].map(([value, those]) => ({
      check,
      subject: `row ${what} ${value}`,
      message: `The database gives the ${what} ${value} to ${those.map(nameOf).join(" and ")}: destroy all but one of them.`,
    })),
  );
}

function sharedOnDisk(snapshot: Snapshot): Disagreement[] {
  const specs = snapshot.machines.flatMap(({ id, spec }) => (spec ? [{ folder: id, spec }] : []));
  const kinds: [what: string, read: (spec: (typeof specs)[number]["spec"]) => string][] = [
    ["uuid", (spec) => spec.uuid],
    ["MAC", (spec) => spec.mac],
  ];
  return kinds.flatMap(([what, read]) =>
    [...sharedBy(specs, ({ spec }) => [read(spec)])].map(([value, those]) => ({
      check,
      subject: `spec ${what} ${value}`,
      message: `The folders of ${those.map(({ folder }) => nameOfId(snapshot, folder)).join(" and ")} both name the ${what} ${value}: move the folder that is a copy away.`,
    })),
  );
}

function sharedByProcesses(processes: ProcessFact[]): Disagreement[] {
  const kinds: [what: string, read: (process: ProcessFact) => string[]][] = [
    ["disk", ({ disks }) => disks],
    ["MAC", ({ macs }) => macs],
    ["socket", ({ sockets }) => sockets],
    ["port", ({ listeners }) => listeners?.tcp ?? []],
  ];
  return kinds.flatMap(([what, read]) =>
    [...sharedBy(processes, read)].map(([value, those]) => ({
      check,
      subject: `process ${what} ${value}`,
      message: `The QEMU processes ${those.map(({ pid }) => pid).join(" and ")} have the same ${what} ${value}: end the one that isn't the VM's.`,
    })),
  );
}
