import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CumulusError } from "../domain/errors";
import { readTextIfThere, type StagedFile, stageFile } from "../system/files";
import { parseJson } from "../system/json";
import { layerIdSchema } from "./layers/layerStore";
import type { MachinePaths } from "./machinePaths";
import { type Restoring, restoringSchema } from "./machineState";

const diskNameSchema = z.string().regex(/^disk(-[0-9a-f]{16})?\.qcow2$/);
const varsNameSchema = z.string().regex(/^uefi-vars(-[0-9a-f]{16})?\.fd$/);

const filesSchema = z.object({
  disk: diskNameSchema,
  uefiVars: varsNameSchema,
  /** The layer that the disk builds on; null: the image. */
  parent: layerIdSchema.nullable(),
  /** The snapshot that the disk stands on, when the layer that told it has been merged into the disk; null: `parent` tells. */
  snapshotBelow: z.number().int().positive().nullable().default(null),
});

/** What a restore has replaced, and what that had been owed by a restore before. */
export type ReplacedDisk = z.infer<typeof filesSchema> & {
  /** The restore; null in records that were written before it was noted. */
  by: Restoring | null;
  replaced: ReplacedDisk | null;
};
const replacedSchema: z.ZodType<ReplacedDisk> = filesSchema.extend({
  by: restoringSchema.nullable().default(null),
  replaced: z.lazy(() => replacedSchema.nullable().default(null)),
});

/**
 * Which files are a VM's disk and UEFI variables, and what the disk builds on (`disk.json` in the VM's folder, which its QEMU can't write). Replacing
 * this file is what puts another disk in the place of the present one, at once and whole. Without the file: the disk that was made first.
 *
 * A disk's file keeps its name for as long as a QEMU may have it open, since QEMU opens it by its name again when the way it is used changes.
 */
const diskRecordSchema = filesSchema.extend({
  /**
   * The present disk is about to become this layer, and an overlay on it the disk. From when this is written it may have happened: a QEMU that
   * lives is asked; without one it is carried out, since the overlay is then empty or in use.
   */
  cut: z.object({ layerId: layerIdSchema, disk: diskNameSchema }).nullable(),
  /** What a restore that isn't done has replaced: the VM gets it back when that fails. */
  replaced: replacedSchema.nullable().default(null),
});
export type DiskRecord = z.infer<typeof diskRecordSchema>;

export const firstDisk: DiskRecord = {
  disk: "disk.qcow2",
  uefiVars: "uefi-vars.fd",
  parent: null,
  snapshotBelow: null,
  cut: null,
  replaced: null,
};

export const diskName = (id: string): string => `disk-${id}.qcow2`;
export const uefiVarsName = (id: string): string => `uefi-vars-${id}.fd`;

type Place = Pick<MachinePaths, "folder" | "diskRecord">;

export async function readDiskRecord({ diskRecord }: Place): Promise<DiskRecord> {
  const text = await readTextIfThere(diskRecord);
  if (text === null) return firstDisk;
  const parsed = diskRecordSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new CumulusError(
    "internal",
    `The record ${diskRecord} of what the VM's disk builds on can't be read: bring back a copy of it, or destroy the VM.`,
  );
}

export async function writeDiskRecord(place: Place, record: DiskRecord): Promise<void> {
  const staged = await stageDiskRecord(place, record);
  await staged.takeOver();
}

/** Lays the next record ready, so that it can be taken over when there is no room on the disk any more. */
export function stageDiskRecord({ diskRecord }: Place, record: DiskRecord): Promise<StagedFile> {
  return stageFile(diskRecord, `${JSON.stringify(record)}\n`);
}

/** All that the VM has had and may be given back, the newest first. */
export function replacedDisks({ replaced }: Pick<DiskRecord, "replaced">): ReplacedDisk[] {
  return replaced === null ? [] : [replaced, ...replacedDisks(replaced)];
}

/** Where the VM's disk lies now. */
export async function diskFile(paths: Place): Promise<string> {
  return join(paths.folder, (await readDiskRecord(paths)).disk);
}

/** Removes disks and variables that the record doesn't name: they were replaced, or never came to be used. */
export async function sweepDisks(paths: Place, record: DiskRecord): Promise<void> {
  const kept = new Set([record, ...replacedDisks(record)].flatMap(({ disk, uefiVars }) => [disk, uefiVars]));
  if (record.cut !== null) kept.add(record.cut.disk);
  for (const name of await readdir(paths.folder)) {
    const isDisk = diskNameSchema.safeParse(name).success || varsNameSchema.safeParse(name).success;
    if (isDisk && !kept.has(name)) await rm(join(paths.folder, name), { force: true });
  }
}
