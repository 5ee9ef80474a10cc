import { join } from "node:path";
import { z } from "zod";
import { fetchCopy, keepCopy, removeCopies } from "../../backups/store";
import { type BackupCopy, repositoryAccessSchema, storedBackupSchema } from "../../domain/backup";
import { type ImageManifest, imageNameSchema } from "../../domain/image";
import type { TaskReport } from "../../domain/task";
import { imageOfVm, type VmDescription, vmDescriptionSchema } from "../../domain/vmDescription";
import { pathsOf } from "../../env";
import { findFirmware, hasUefi, whyVarsDontFit } from "../../hypervisor/qemu/firmware";
import { installImage } from "../../images/store";
import { taskKind } from "./kind";
import { withWorkDir } from "./workDir";

const key = storedBackupSchema.shape.key;

/** Copies a snapshot's disk into a repository and reads it back. */
export const backup = taskKind({
  params: z.object({
    access: repositoryAccessSchema,
    snapshotId: z.number().int().positive(),
    description: vmDescriptionSchema,
  }),
  run: ({ access, snapshotId, description }, call): Promise<BackupCopy> =>
    withWorkDir(call, async ({ hypervisor, report, signal, task, workDir }) => {
      report.progress(0, "Reading the snapshot");
      const toThirty = {
        ...report,
        progress: (percent: number) => report.progress(percent * 0.3, "Reading the snapshot"),
      };
      const target = { disk: join(workDir, "disk.qcow2"), uefiVars: join(workDir, "uefi-variables.fd") };
      await hypervisor.exportDisk({ snapshotId }, target, toThirty, signal);
      return keepCopy(access, workDir, description, report, signal, task);
    }),
});

/** Takes a copy out of a repository and makes an image of it, from which a VM can be created. */
export const backupRestore = taskKind({
  params: z.object({ access: repositoryAccessSchema, key, imageName: imageNameSchema }),
  run: ({ access, key, imageName }, call): Promise<{ manifest: ImageManifest; description: unknown }> =>
    withWorkDir(call, async ({ report, signal, workDir }) => {
      report.progress(5, "Reading the copy");
      const { diskFile, variablesFile, description } = await fetchCopy(access, key, workDir, signal);
      report.progress(90, "Making an image of it");
      const image = imageOfVm(description, imageName, "a backup");
      const variables = variablesFile && (await fitting(variablesFile, description, report));
      const manifest = await installImage(pathsOf(call.settings), diskFile, image, { variables });
      return { manifest, description };
    }),
});

/** Variables that this host's firmware can't use are left out: the disk is worth more, and mostly boots without. */
async function fitting(file: string, { arch, firmware }: VmDescription, report: TaskReport): Promise<string | null> {
  if (firmware !== "uefi") return null;
  const present = (await hasUefi(arch)) ? await findFirmware(arch, firmware) : null;
  const whyNot = present && (await whyVarsDontFit(present, file));
  if (whyNot) report.log(`The VM starts with empty UEFI variables, since ${whyNot}.`);
  return whyNot ? null : file;
}

/** Removes copies that are past their retention. */
export const backupRemove = taskKind({
  params: z.object({ access: repositoryAccessSchema, keys: z.array(key) }),
  run: async ({ access, keys }, { signal }) => removeCopies(access, keys, signal),
});
