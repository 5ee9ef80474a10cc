import { join } from "node:path";
import { z } from "zod";
import { type ImageManifest, imageManifestSchema } from "../../domain/image";
import { imageDownloadSchema, imageUploadSchema } from "../../domain/imageImport";
import type { TaskReport } from "../../domain/task";
import { pathsOf } from "../../env";
import { buildImage, imageBuildSchema } from "../../images/buildImage";
import { downloadImage } from "../../images/intake/downloadImage";
import { uploadImage } from "../../images/intake/uploadImage";
import { defaultImageLimits } from "../../images/staging/limits";
import { installImage } from "../../images/store";
import { taskKind } from "./kind";
import { makingOnce, withWorkDir } from "./workDir";

const id = z.number().int().positive();
const oneCopy = { copies: 1, reserveBytes: defaultImageLimits.reserveBytes };

/** Fetches an image of the catalogue, or from any address. */
export const imageDownload = taskKind({
  params: imageDownloadSchema,
  run: (request, call): Promise<ImageManifest> => makingOnce(call, () => downloadImage(request, call)),
});

/** Takes the file that a request brings for this operation, and makes an image of it. */
export const imageUpload = taskKind({
  params: imageUploadSchema,
  run: (upload, call): Promise<ImageManifest> =>
    makingOnce(call, () =>
      uploadImage(upload, call, (receive) => call.uploads.take(call.operationId, call.signal, receive)),
    ),
});

/** Makes an image from the distribution's packages. */
export const imageBuild = taskKind({
  turns: "heavy",
  params: imageBuildSchema,
  run: (build, call): Promise<ImageManifest> =>
    makingOnce(call, () => withWorkDir(call, (within) => buildImage(pathsOf(call.settings), build, within))),
});

/** Makes an image of a VM's or a snapshot's disk. */
export const imageCapture = taskKind({
  turns: "heavy",
  params: z.object({
    disk: z.union([z.strictObject({ vmId: id }), z.strictObject({ snapshotId: id })]),
    image: imageManifestSchema.omit({
      sha256: true,
      fileBytes: true,
      virtualBytes: true,
      variablesSha256: true,
      recipeHash: true,
      createdAt: true,
    }),
  }),
  run: ({ disk, image }, call): Promise<ImageManifest> =>
    makingOnce(call, () =>
      withWorkDir(call, async ({ hypervisor, settings, report, signal, task, workDir }) => {
        const target = { disk: join(workDir, "disk.qcow2"), uefiVars: join(workDir, "uefi-vars.fd"), room: oneCopy };
        const part: TaskReport = {
          ...report,
          progress: (percent, ...told) => report.progress(percent * 0.9, ...told),
        };
        const { hasUefiVars } = await hypervisor.exportDisk(disk, target, part, signal);
        report.progress(95, "puts the image into the store");
        const variables = hasUefiVars ? target.uefiVars : null;
        return installImage(pathsOf(settings), target.disk, { ...image, recipeHash: null }, { task, variables });
      }),
    ),
});

/** Removes an image, and its file with the last name of it. */
export const imageRemove = taskKind({
  params: imageManifestSchema.pick({ sha256: true, name: true }),
  run: (image, { hypervisor }) => hypervisor.removeImage(image),
});
