import { join } from "node:path";
import type { Disagreement, Snapshot } from "../snapshot";
import { machineOf, nameOf } from "./words";

const check = "disks";

/** The disk of every VM that was made opens, and builds on the image that the database names, which is there. */
export function checkDisks(snapshot: Snapshot): Disagreement[] {
  const { paths, files } = snapshot;
  return snapshot.vms.flatMap((vm) => {
    const machine = machineOf(snapshot, vm);
    if (!machine || vm.desired === "deleted") return [];
    const folder = join(paths.machines, String(vm.id));
    const path = join(folder, machine.record?.disk ?? "disk.qcow2");
    const tell = (subject: string, message: string) => [{ check, subject: `${vm.id} ${subject}`, message }];
    const { disk, record } = machine;
    if (record === null) {
      return tell("record", `${join(folder, "disk.json")} of ${nameOf(vm)} can't be read: bring back a copy of it.`);
    }
    if (disk === null) return tell("disk", `The disk ${path} of ${nameOf(vm)} is gone: restore it, or destroy the VM.`);
    if (!disk.opens) {
      return tell(
        "disk",
        `The disk ${path} of ${nameOf(vm)} does not open (${disk.reason}): restore it from a backup.`,
      );
    }
    if (disk.damage !== null) {
      return tell("damage", `The disk ${path} of ${nameOf(vm)} is damaged (${disk.damage}): restore it from a backup.`);
    }
    // What its header says is not what is opened, once it builds on layers.
    if (record.parent !== null) return [];
    const image = vm.imageSha256 && join(paths.images, `${vm.imageSha256}.qcow2`);
    if (disk.backingFile !== image && image === null) {
      return tell(
        "backing",
        `The disk ${path} of ${nameOf(vm)} builds on ${disk.backingFile} and is to build on nothing: restore it from a backup.`,
      );
    }
    if (disk.backingFile !== image) {
      return tell(
        "backing",
        `The disk ${path} of ${nameOf(vm)} builds on ${disk.backingFile ?? "no image"} instead of ${image}: if you moved the data folder, run qemu-img rebase -u -F qcow2 -b ${image} on it while the VM is off.`,
      );
    }
    if (image !== null && files.get(image)?.kind !== "file") {
      return tell(
        "image",
        `The image ${image} on which the disk of ${nameOf(vm)} builds is gone: bring that file back.`,
      );
    }
    return [];
  });
}
