import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { archiveRefusal } from "../../archives/entries";
import type { ArchivedFiles } from "../../archives/pack";
import { unpackArchive } from "../../archives/unpack";
import { type ImageManifest, imageNameSchema } from "../../domain/image";
import { vmFiles } from "../../domain/vmArchive";
import { imageOfVm, type VmDescription, vmDescriptionSchema } from "../../domain/vmDescription";
import { pathsOf } from "../../env";
import { failpoint } from "../../failpoints";
import { findFirmware, whyVarsDontFit } from "../../hypervisor/qemu/firmware";
import { contentOf } from "../../images/checks/content";
import { isVariableStore } from "../../images/checks/uefiVariables";
import { takeIn } from "../../images/intake/takeIn";
import { finishing, receiveOnce } from "../../images/intake/uploadImage";
import { type StagingFolder, stagingFolder } from "../../images/staging/folder";
import { vmLimits } from "../../images/staging/limits";
import { assertSpace } from "../../images/staging/space";
import { taskKind } from "./kind";
import { makingOnce } from "./workDir";

/** Takes the archive of a VM that a request brings for this operation, and makes an image of what is in it, from which the VM can be created. */
export const vmImport = taskKind({
  params: z.object({
    /** What the archive says of its VM; the console has read it, and looked whether there can be such a VM. */
    description: vmDescriptionSchema,
    imageName: imageNameSchema,
  }),
  run: ({ description, imageName }, call): Promise<ImageManifest> =>
    makingOnce(call, async () => {
      const { operationId, settings, report, signal, task } = call;
      const paths = pathsOf(settings);
      const folder = stagingFolder(paths, operationId);
      await receiveOnce(null, { ...call, limits: vmLimits }, (receive) =>
        call.uploads.take(operationId, signal, receive),
      );
      return finishing(folder, signal, async () => {
        report.progress(80, "unpacks the archive");
        const { disk, variables } = await unpacked(folder, signal);
        failpoint("agent.import.unpacked");
        await checkFiles({ disk, variables }, description);
        const image = imageOfVm(description, imageName, "an archive");
        return takeIn({ ...folder, received: disk }, image, {
          paths,
          limits: vmLimits,
          report,
          signal,
          task,
          variables,
        });
      });
    }),
});

async function unpacked({ path, received }: StagingFolder, signal: AbortSignal): Promise<ArchivedFiles> {
  const { size } = await stat(received);
  const folder = join(path, "unpacked");
  // What an agent that ended had unpacked by then.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  await assertSpace(path, size, vmLimits.reserveBytes, "the VM");
  return unpackArchive(received, folder, signal);
}

/** That the files are what their names say; whether the disk is sound is looked at when it is taken in. @throws `bad_request` */
async function checkFiles({ disk, variables }: ArchivedFiles, { arch, firmware }: VmDescription): Promise<void> {
  if ((await contentOf(disk)) !== "qcow2") throw archiveRefusal("its disk is no qcow2 file");
  if (variables === null) return;
  if (firmware !== "uefi") throw archiveRefusal("it has UEFI variables, and says that its VM boots by BIOS");
  if (!(await isVariableStore(variables)))
    throw archiveRefusal("its UEFI variables are none that firmware has written");
  const present = await findFirmware(arch, firmware);
  const whyNot = present && (await whyVarsDontFit(present, variables));
  if (whyNot) throw archiveRefusal(`${whyNot}. To go without: tar --delete -f FILE ${vmFiles.variables}`);
}
