import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { pathsOf, type Settings } from "../../env";
import { defaultImageLimits } from "../../images/staging/limits";
import { withRoom } from "../../images/staging/room";
import { isErrno } from "../../system/files";
import { taskKind } from "./kind";

/** How long an export can be fetched. */
const keptMs = 24 * 60 * 60 * 1000;

const id = z.number().int().positive();

type Folders = Pick<Settings, "dataDir" | "runDir">;

/** Writes a disk into one qcow2 file, which can be fetched for a day. */
export const diskExport = taskKind({
  params: z.object({ source: z.union([z.strictObject({ vmId: id }), z.strictObject({ snapshotId: id })]) }),
  run: async ({ source }, { hypervisor, operationId, settings, report, signal }): Promise<{ fileBytes: number }> => {
    await removeOldExports(settings);
    await mkdir(pathsOf(settings).exports, { recursive: true, mode: 0o700 });
    const file = exportFile(settings, operationId);
    // There already when the agent ended after it was whole: it is that, or not there.
    if ((await sizeIfThere(file)) === null) {
      const write = (within: AbortSignal) => hypervisor.exportDisk(source, { disk: file }, report, within);
      await withRoom(pathsOf(settings).exports, defaultImageLimits.reserveBytes, signal, write);
    }
    return { fileBytes: (await sizeIfThere(file)) ?? 0 };
  },
});

export function exportFile(settings: Folders, operationId: number): string {
  return join(pathsOf(settings).exports, `${operationId}.qcow2`);
}

/** A file's size in bytes; null when there is none. */
export async function sizeIfThere(file: string): Promise<number | null> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return null;
    throw error;
  }
}

/** Removes exports whose time is over. Called with each export and at the agent's start. */
export async function removeOldExports(settings: Folders): Promise<void> {
  const { exports } = pathsOf(settings);
  const names = await readdir(exports).catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  });
  for (const name of names) {
    const file = join(exports, name);
    const { mtimeMs } = await stat(file);
    if (Date.now() - mtimeMs > keptMs) await rm(file, { force: true });
  }
}
