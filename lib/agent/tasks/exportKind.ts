import type { Stats } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { packArchive } from "../../archives/pack";
import type { TaskReport } from "../../domain/task";
import { type ExportFormat, exportFormatSchema, exportSuffixes, vmFiles } from "../../domain/vmArchive";
import { type VmDescription, vmDescriptionSchema } from "../../domain/vmDescription";
import { pathsOf, type Settings } from "../../env";
import { failpoint } from "../../failpoints";
import type { DiskSource } from "../../hypervisor/hypervisor";
import { removeStagingFolder, stagingFolder } from "../../images/staging/folder";
import { defaultImageLimits } from "../../images/staging/limits";
import { withRoom } from "../../images/staging/room";
import { TransferMeter } from "../../images/staging/transferMeter";
import { isErrno, syncFolder } from "../../system/files";
import type { Log } from "../../system/log";
import { type TaskCall, taskKind } from "./kind";
import { withWorkDir } from "./workDir";

/** How long an export can be fetched. */
const keptMs = 24 * 60 * 60 * 1000;
const { reserveBytes } = defaultImageLimits;

const id = z.number().int().positive();

type Folders = Pick<Settings, "dataDir" | "runDir">;

/** Writes a disk into one qcow2 file, or with it all of a VM into an archive; the file can be fetched for a day. */
export const diskExport = taskKind({
  params: z.object({
    source: z.union([z.strictObject({ vmId: id }), z.strictObject({ snapshotId: id })]),
    /** What the archive says of the VM; null: the disk alone. */
    archive: vmDescriptionSchema.nullable().default(null),
  }),
  run: async ({ source, archive }, call): Promise<{ fileBytes: number; format: ExportFormat }> => {
    const { operationId, settings } = call;
    const format = archive === null ? "qcow2" : "archive";
    await removeOldExports(settings);
    await mkdir(pathsOf(settings).exports, { recursive: true, mode: 0o700 });
    const file = exportFile(settings, operationId, format);
    // There already when the agent ended after it was whole: it is that, or not there.
    if ((await sizeIfThere(file)) === null) {
      await (archive === null ? exportDisk(source, file, call) : exportArchive(source, file, archive, call));
    } else {
      await removeStagingFolder(stagingFolder(pathsOf(settings), operationId));
    }
    return { fileBytes: (await sizeIfThere(file)) ?? 0, format };
  },
});

async function exportDisk(source: DiskSource, file: string, call: TaskCall): Promise<void> {
  const { hypervisor, settings, report, signal } = call;
  const target = { disk: file, room: { copies: 1, reserveBytes } };
  await withRoom(pathsOf(settings).exports, reserveBytes, signal, async (within) => {
    await hypervisor.exportDisk(source, target, report, within);
  });
}

/** The disk is written first, since a tar says how large its files are before it holds them: for a while it takes its room twice. */
async function exportArchive(source: DiskSource, file: string, description: VmDescription, call: TaskCall) {
  await withWorkDir(call, async ({ hypervisor, report, signal, settings, workDir }) => {
    const [disk, uefiVars] = [join(workDir, vmFiles.disk), join(workDir, vmFiles.variables)];
    const part: TaskReport = { ...report, progress: (percent, ...told) => report.progress(percent * 0.6, ...told) };
    const target = { disk, uefiVars, room: { copies: 2, reserveBytes } };
    const { hasUefiVars } = await hypervisor.exportDisk(source, target, part, signal);
    const meter = new TransferMeter(report, "Writing the archive.", [60, 99]);
    const packed = join(workDir, "packed.tar");
    const files = { disk, variables: hasUefiVars ? uefiVars : null };
    await packArchive(packed, description, files, (done, total) => meter.tell(done, total), signal);
    failpoint("agent.archive.packed");
    await rename(packed, file);
    await syncFolder(pathsOf(settings).exports);
    failpoint("agent.archive.moved");
  });
}

export function exportFile(settings: Folders, operationId: number, format: ExportFormat): string {
  return join(pathsOf(settings).exports, `${operationId}.${exportSuffixes[format]}`);
}

/** The file that an operation has exported, in whatever format; null when there is none, or not any more. */
export async function findExport(settings: Folders, operationId: number): Promise<string | null> {
  for (const format of exportFormatSchema.options) {
    const file = exportFile(settings, operationId, format);
    if ((await sizeIfThere(file)) !== null) return file;
  }
  return null;
}

/** A file's size in bytes; null when there is none. */
async function sizeIfThere(file: string): Promise<number | null> {
  return (await statIfThere(file))?.size ?? null;
}

async function statIfThere(file: string): Promise<Stats | null> {
  try {
    return await stat(file);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return null;
    throw error;
  }
}

/**
 * Removes exports whose time is over, now and then, until the agent ends.
 * @param everyMs how often it looks
 */
export function sweepExports(settings: Folders, log: Pick<Log, "error">, everyMs = 60 * 60 * 1000): NodeJS.Timeout {
  const sweep = () => removeOldExports(settings).catch((err: unknown) => log.error({ err }, "old exports stay"));
  return setInterval(() => void sweep(), everyMs).unref();
}

/** Removes exports whose time is over. Called with each export and at the agent's start too; others may do the same at the same moment. */
export async function removeOldExports(settings: Folders): Promise<void> {
  const { exports } = pathsOf(settings);
  const names = await readdir(exports).catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  });
  for (const name of names) {
    const file = join(exports, name);
    const found = await statIfThere(file);
    if (found && Date.now() - found.mtimeMs > keptMs) await rm(file, { force: true });
  }
}
