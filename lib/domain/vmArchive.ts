import * as z from "zod";
import { networkNameSchema } from "./network";
import { sizeLimits } from "./size";
import { MIB, TIB } from "./units";
import { vmNameSchema } from "./vm";

/**
 * The files of a VM outside of an installation: in the copy of a backup, and in an archive, which is a plain tar and has them in this order. The disk is the last:
 * an archive that was cut short lacks some of it, and never other parts alone.
 */
export const vmFiles = { description: "vm.json", variables: "uefi-variables.fd", disk: "disk.qcow2" } as const;
export type VmFile = (typeof vmFiles)[keyof typeof vmFiles];

/** How large each may be that comes from elsewhere, in bytes. A full disk takes a little more than what it holds. */
export const mostVmFileBytes: Record<VmFile, number> = {
  "vm.json": MIB,
  "uefi-variables.fd": 64 * MIB,
  "disk.qcow2": sizeLimits.diskBytes.max + TIB,
};

/** How a VM is exported: its disk alone, or all of it as an archive, which can be imported as a VM. */
export const exportFormatSchema = z.enum(["qcow2", "archive"]);
export type ExportFormat = z.infer<typeof exportFormatSchema>;

/** What the name of an export's file ends with. */
export const exportSuffixes: Record<ExportFormat, string> = { qcow2: "qcow2", archive: "tar" };

/** `POST /api/vms/{id}/export`, and a snapshot's. */
export const exportSchema = z
  .strictObject({ format: exportFormatSchema.default("qcow2") })
  .meta({ id: "Export", description: "`qcow2`: the disk alone. `archive`: the whole VM, to be imported." });
export type Export = z.infer<typeof exportSchema>;

/** The query of `POST /api/vms/import`, whose body is the archive. */
export const importVmSchema = z.strictObject({
  name: vmNameSchema.optional().meta({ description: "Of the new VM; as the archive says when not given." }),
  network: networkNameSchema.optional().meta({
    description: "The network of the new VM, by name; `default` when not given, whatever the archive says.",
  }),
});
export type ImportVm = z.infer<typeof importVmSchema>;
