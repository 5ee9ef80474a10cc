import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fetchCopy, keepCopy, removeCopies } from "../../backups/store";
import type { Arch } from "../../domain/arch";
import {
  type BackupCopy,
  locationOf,
  type RepositoryAccess,
  repositoryAccessSchema,
  storedBackupSchema,
} from "../../domain/backup";
import { type ImageManifest, imageNameSchema } from "../../domain/image";
import type { TaskReport } from "../../domain/task";
import { formatBytes } from "../../domain/units";
import { mostVmFileBytes, vmFiles } from "../../domain/vmArchive";
import { imageOfVm, type VmDescription, vmDescriptionSchema } from "../../domain/vmDescription";
import { pathsOf } from "../../env";
import { findFirmware, hasUefi, whyVarsDontFit } from "../../hypervisor/qemu/firmware";
import { isVariableStore } from "../../images/checks/uefiVariables";
import { takeIn } from "../../images/intake/takeIn";
import { stagingFolder } from "../../images/staging/folder";
import { defaultImageLimits, vmLimits } from "../../images/staging/limits";
import { taskKind } from "./kind";
import { Turns, tellWait } from "./turns";
import { withWorkDir } from "./workDir";

const key = storedBackupSchema.shape.key;

/** Each needs room for a copy of a disk, which all would find free that look at once. */
const reading = new Turns(1);

/** Of one repository one by one. */
const inTurn = ({ access }: { access: RepositoryAccess }) => `backup ${locationOf(access.place)}`;

/** Copies a snapshot's disk into a repository and reads it back. A slow repository is waited for by its own alone. */
export const backup = taskKind({
  turns: inTurn,
  params: z.object({
    access: repositoryAccessSchema,
    snapshotId: z.number().int().positive(),
    description: vmDescriptionSchema,
    /** The same for each try at a backup, and of no other; what an earlier version asked for has none. */
    mark: z.string().min(1).max(100).optional(),
  }),
  run: ({ access, snapshotId, description, mark }, call): Promise<BackupCopy> =>
    withWorkDir(call, async ({ hypervisor, report, signal, task, workDir }) => {
      report.progress(0, "Reading the snapshot");
      const toThirty = {
        ...report,
        progress: (percent: number) => report.progress(percent * 0.3, "Reading the snapshot"),
      };
      const [disk, uefiVars] = [join(workDir, vmFiles.disk), join(workDir, vmFiles.variables)];
      const target = { disk, uefiVars, room: { copies: 1, reserveBytes: defaultImageLimits.reserveBytes } };
      await reading.run(signal, tellWait(report), () =>
        hypervisor.exportDisk({ snapshotId }, target, toThirty, signal),
      );
      return keepCopy(access, workDir, description, report, signal, mark ?? task);
    }),
});

/** Takes a copy out of a repository and makes an image of it, from which a VM can be created. */
export const backupRestore = taskKind({
  params: z.object({ access: repositoryAccessSchema, key, imageName: imageNameSchema }),
  run: ({ access, key, imageName }, call): Promise<{ manifest: ImageManifest; description: unknown }> =>
    withWorkDir(call, async ({ operationId, settings, report, signal, workDir }) => {
      report.progress(5, "Reading the copy");
      const { diskFile, variablesFile, description } = await fetchCopy(access, key, workDir, report, signal);
      report.progress(90, "Making an image of it");
      const image = imageOfVm(description, imageName, "a backup");
      const variables = variablesFile && (await fitting(variablesFile, description, report));
      const paths = pathsOf(settings);
      const folder = { ...stagingFolder(paths, operationId), received: diskFile };
      const manifest = await takeIn(folder, image, { paths, limits: vmLimits, report, signal, variables });
      return { manifest, description };
    }),
});

/** Variables that this host's firmware can't use are left out: the disk is worth more, and mostly boots without. */
async function fitting(file: string, { arch, firmware }: VmDescription, report: TaskReport): Promise<string | null> {
  if (firmware !== "uefi") return null;
  const whyNot = await whyUnfit(file, arch);
  if (whyNot) report.log(`The VM starts with empty UEFI variables, since ${whyNot}.`);
  return whyNot ? null : file;
}

/** As a part of a sentence; null: nothing is known against them. */
async function whyUnfit(file: string, arch: Arch): Promise<string | null> {
  const most = mostVmFileBytes[vmFiles.variables];
  if ((await stat(file)).size > most) return `those in the copy take more than ${formatBytes(most)}`;
  if (!(await isVariableStore(file))) return "those in the copy are none that firmware has written";
  const present = (await hasUefi(arch)) ? await findFirmware(arch, "uefi") : null;
  return present && whyVarsDontFit(present, file);
}

/** Removes copies that are past their retention. Not while one is made: what removes needs the repository for itself, what copies holds it for all of its time. */
export const backupRemove = taskKind({
  turns: inTurn,
  params: z.object({ access: repositoryAccessSchema, keys: z.array(key) }),
  run: async ({ access, keys }, { signal }) => removeCopies(access, keys, signal),
});
