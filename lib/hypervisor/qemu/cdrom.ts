import type { BootDevice, MachineSpec } from "../../domain/machine";
import { fileNode } from "../diskFiles";

/** QEMU's id of the CD-ROM drive, which every VM has, with or without a disc. */
export const cdromId = "cd0";

/** The node of an ISO: by its name it is known which one lies in the drive. At most 31 characters (qapi/block-core.json). */
export function isoNodeName(sha256: string): string {
  return `iso-${sha256.slice(0, 27)}`;
}

/** An ISO as a block node that nothing can write to. */
export function isoNode(sha256: string, file: string): object {
  return {
    driver: "raw",
    "node-name": isoNodeName(sha256),
    "read-only": true,
    file: fileNode(file, { "read-only": true }),
  };
}

/** Places of the disk and the CD-ROM drive in the firmware's order: 0 is tried first. */
export function bootIndexes(bootFrom: BootDevice): { disk: number; cdrom: number } {
  return bootFrom === "cdrom" ? { disk: 1, cdrom: 0 } : { disk: 0, cdrom: 1 };
}

/**
 * The devices of the CD-ROM drive. Pure. A PC's hangs on the AHCI controller that q35 has built in, which every installer knows; `virt` has none, and gets
 * a SCSI one.
 */
export function cdromDevices({ arch, cdrom, bootFrom }: MachineSpec): object[] {
  const drive = {
    id: cdromId,
    bootindex: bootIndexes(bootFrom).cdrom,
    ...(cdrom !== null && { drive: isoNodeName(cdrom.sha256) }),
  };
  if (arch === "x86_64") return [{ driver: "ide-cd", bus: "ide.0", ...drive }];
  return [
    { driver: "virtio-scsi-pci", id: "scsi0" },
    { driver: "scsi-cd", bus: "scsi0.0", ...drive },
  ];
}
