import { join } from "node:path";
import type { Disagreement, MachineFact, Snapshot, VmFact } from "../snapshot";
import { machineOf, nameOf } from "./words";

const check = "machines";

/** Every acknowledged VM that was made has its folder, which says the same of it as the database. */
export function checkMachines(snapshot: Snapshot): Disagreement[] {
  return snapshot.vms.flatMap((vm) => {
    if (!vm.hasDisk || vm.desired === "deleted") return [];
    const machine = machineOf(snapshot, vm);
    return machine ? differences(snapshot, vm, machine) : [lostFolder(snapshot, vm)];
  });
}

function lostFolder(snapshot: Snapshot, vm: VmFact): Disagreement {
  const folder = join(snapshot.paths.machines, String(vm.id));
  return {
    check,
    subject: `${vm.id} folder`,
    message: `The folder ${folder} of ${nameOf(vm)} is gone, and its disk with it: mount or restore it, or destroy the VM.`,
  };
}

function differences(snapshot: Snapshot, vm: VmFact, { spec }: MachineFact): Disagreement[] {
  const path = join(snapshot.paths.machines, String(vm.id), "machine.json");
  if (spec === null) {
    return [
      {
        check,
        subject: `${vm.id} spec`,
        message: `${path} of ${nameOf(vm)} can't be read: restore it from a backup, or start the VM, which writes it anew.`,
      },
    ];
  }
  const compared: [what: string, inFile: unknown, inDatabase: unknown][] = [
    ["id", spec.id, vm.id],
    ["uuid", spec.uuid, vm.uuid],
    ["MAC", spec.mac, vm.mac],
    ["address", spec.ipv4, vm.ipv4],
    ["image", spec.imageSha256, vm.imageSha256],
  ];
  if (!vm.isUnderWay) compared.push(["ISO in its drive", spec.cdromSha256, vm.cdromSha256]);
  // Another port may just be tried because the first was taken.
  if (!vm.isUnderWay && spec.sshHostPort !== null) compared.push(["SSH port", spec.sshHostPort, vm.sshHostPort]);
  return compared
    .filter(([, inFile, inDatabase]) => inFile !== inDatabase)
    .map(([what, inFile, inDatabase]) => ({
      check,
      subject: `${vm.id} ${what}`,
      message: `${path} gives ${nameOf(vm)} the ${what} ${inFile} and the database gives it ${inDatabase}: one of the two was restored or edited; bring back the one that fits.`,
    }));
}
