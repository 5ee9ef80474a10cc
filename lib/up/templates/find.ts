import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { CumulusError } from "../../domain/errors";
import { imageNameSchema } from "../../domain/image";
import { isErrno } from "../../system/files";

export interface DiskTemplate {
  /** The folder's name, and the image's. */
  name: string;
  file: string;
  sizeBytes: number;
}

export interface FoundTemplates {
  templates: DiskTemplate[];
  /** Folders that are none, with the reason. */
  others: { name: string; reason: string }[];
}

/**
 * Disk templates as the OS Cloud lab lays them out: `NAME/NAME.qcow2` in a folder, by name.
 * @throws `bad_request` when there is no such folder, or no template in it
 */
export async function findDiskTemplates(folder: string): Promise<FoundTemplates> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (!isErrno(error, "ENOENT", "ENOTDIR")) throw error;
    throw new CumulusError("bad_request", `There is no folder ${folder}.`);
  });
  const names = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map(({ name }) => name);
  const found: FoundTemplates = { templates: [], others: [] };
  for (const name of names.sort()) {
    const file = join(folder, name, `${name}.qcow2`);
    const sizeBytes = await sizeOf(file);
    if (sizeBytes === null) {
      found.others.push({ name, reason: `has no file ${name}.qcow2` });
    } else if (!imageNameSchema.safeParse(name).success) {
      found.others.push({ name, reason: "is no image name: use a–z, 0–9, dot, dash or underscore" });
    } else {
      found.templates.push({ name, file, sizeBytes });
    }
  }
  if (found.templates.length > 0) return found;
  const reasons = found.others.map(({ name, reason }) => ` ${name} ${reason}.`).join("");
  throw new CumulusError(
    "bad_request",
    `${folder} holds no disk template, which is a folder NAME with NAME.qcow2 in it.${reasons}`,
  );
}

/** Null where there is no file. */
async function sizeOf(file: string): Promise<number | null> {
  try {
    const { size } = await stat(file);
    return size;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return null;
    throw error;
  }
}
