import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { archOfNode } from "../../domain/arch";
import { CumulusError } from "../../domain/errors";
import type { Accelerator } from "../../domain/host";
import { type ImageIdentity, type ImageManifest, imageManifestSchema } from "../../domain/image";
import { describeDerived, recipeSchema } from "../../domain/recipe";
import type { TaskReport } from "../../domain/task";
import type { pathsOf } from "../../env";
import { failpoint } from "../../failpoints";
import { imageFile, installImage, listImages } from "../store";
import { variablesFile } from "../variables";
import { changeDisk } from "./changeDisk";
import { runOnConsole } from "./console";
import { flatten, makeOverlay } from "./flatten";

export const customizeSchema = z.object({
  base: imageManifestSchema.pick({ sha256: true, name: true }),
  recipe: recipeSchema.refine(
    ({ steps }) => !steps.some((step) => step.type === "root-password" && step.passwordHash === undefined),
    "Passwords are hashed before a recipe is given to a host.",
  ),
  /** Of the new image, where they are not to be the recipe's. */
  names: z
    .object({ name: z.string().optional(), title: z.string().optional(), description: z.string().optional() })
    .default({}),
});
export type CustomizeParams = z.infer<typeof customizeSchema>;

export interface CustomizeCall {
  paths: Pick<ReturnType<typeof pathsOf>, "images" | "staging" | "appliance" | "guestfsScratch">;
  /** A private folder for this call alone; what it holds afterwards is the caller's to remove. */
  workDir: string;
  accelerator: Accelerator;
  /** By which `findImageOf` finds the image. */
  task?: string;
  report: TaskReport;
  signal: AbortSignal;
}

/**
 * Makes an image from another one by a recipe, and takes it into the store; the base stays as it is. Called again after a crash it
 * begins anew.
 * @throws CumulusError `not_found`: there is no such base · `bad_request`: a step failed · `unavailable`: a tool is missing
 */
export async function customizeImage(params: CustomizeParams, call: CustomizeCall): Promise<ImageManifest> {
  const { paths, workDir, report, signal } = call;
  const { recipe } = params;
  const base = await findBase(paths, params.base);
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const image = imageFile(paths, base.sha256);
  const variables = base.variablesSha256 === null ? null : variablesFile(paths, base.variablesSha256);
  const overlay = join(workDir, "changed.qcow2");
  await makeOverlay(image, overlay);
  failpoint("agent.recipe.overlay-made");
  if (recipe.place === "console") {
    const { arch, firmware, minMemoryBytes } = base;
    const accelerator = acceleratorFor(base, call);
    const machine = { arch, firmware, minMemoryBytes, disk: overlay, image, variables, workDir, accelerator };
    await runOnConsole(machine, recipe, call);
  } else {
    await changeDisk(base, overlay, recipe, call);
  }
  failpoint("agent.recipe.changed");
  report.progress(82, "writes the new image");
  const flat = join(workDir, "flat.qcow2");
  await flatten(image, overlay, flat, signal);
  failpoint("agent.recipe.flattened");
  report.progress(95, "puts the image into the store");
  return installImage(paths, flat, describeDerived(base, recipe, params.names), { task: call.task, variables });
}

async function findBase(paths: CustomizeCall["paths"], { sha256, name }: ImageIdentity): Promise<ImageManifest> {
  const base = (await listImages(paths, () => {})).find((image) => image.sha256 === sha256 && image.name === name);
  if (!base) throw new CumulusError("not_found", "The image that the recipe is for is not on this host: add it again.");
  if (base.kind === "disk") return base;
  throw new CumulusError("bad_request", "A recipe changes a disk, and this image is a CD-ROM.");
}

function acceleratorFor(base: ImageManifest, { accelerator }: CustomizeCall): Pick<Accelerator, "kind" | "cpuModel"> {
  return base.arch === archOfNode(process.arch) ? accelerator : { kind: "tcg", cpuModel: "max" };
}
