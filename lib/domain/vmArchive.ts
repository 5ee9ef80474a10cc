import * as z from "zod";
import { vmNameSchema } from "./vm";

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
});
export type ImportVm = z.infer<typeof importVmSchema>;
