import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { archOfNode } from "../../domain/arch";
import { CumulusError } from "../../domain/errors";
import type { Accelerator } from "../../domain/host";
import { type ImageIdentity, type ImageManifest, imageManifestSchema } from "../../domain/image";
import { describeDerived, type Recipe, recipeSchema } from "../../domain/recipe";
import type { TaskReport } from "../../domain/task";
import type { pathsOf } from "../../env";
import { failpoint } from "../../failpoints";
import { mortalTree } from "../../system/mortal";
import { imageFile, installImage, listImages } from "../store";
import { toolPath } from "../tools";
import { variablesFile } from "../variables";
import { guestfsEnvironment } from "./appliance";
import { runOnConsole } from "./console";
import { flatten, makeOverlay } from "./flatten";
import { customizationOf, writeCustomization } from "./offline";

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
  paths: Pick<ReturnType<typeof pathsOf>, "images" | "staging" | "appliance">;
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
  const overlay = join(workDir, "changed.qcow2");
  await makeOverlay(image, overlay);
  failpoint("agent.recipe.overlay-made");
  if (recipe.place === "console") {
    const { arch, firmware } = base;
    await runOnConsole({ arch, firmware, disk: overlay, image, accelerator: acceleratorFor(base, call) }, recipe, call);
  } else {
    await changeDisk(base, overlay, recipe, call);
  }
  failpoint("agent.recipe.changed");
  report.progress(82, "writes the new image");
  const flat = join(workDir, "flat.qcow2");
  await flatten(image, overlay, flat, signal);
  failpoint("agent.recipe.flattened");
  report.progress(95, "puts the image into the store");
  const variables = base.variablesSha256 === null ? null : variablesFile(paths, base.variablesSha256);
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

/** Has libguestfs change the disk, which the host never mounts: a damaged or hostile file system meets a machine of its own. */
async function changeDisk(base: ImageManifest, overlay: string, recipe: Recipe, call: CustomizeCall): Promise<void> {
  const { paths, workDir, report, signal } = call;
  const steps = join(workDir, "steps");
  const customization = customizationOf(recipe, steps);
  if (customization.runsPrograms && base.arch !== archOfNode(process.arch)) {
    throw new CumulusError(
      "bad_request",
      `This recipe runs programs of the image, which is for ${base.arch}, and this host can't: give it the place first-boot.`,
    );
  }
  report.progress(3, "prepares the machine that changes the disk");
  const isEmulated = call.accelerator.kind !== "kvm";
  const env = await guestfsEnvironment(paths.appliance, { isEmulated, scratch: workDir, report, signal });
  const list = await writeCustomization(customization, steps);
  // Only packages come from elsewhere.
  const network = recipe.steps.some(({ type }) => type === "packages") && recipe.place === "disk";
  const args = ["--format", "qcow2", "-a", overlay, network ? "--network" : "--no-network"];
  report.progress(10, "changes the disk");
  const nice = { program: "nice", args: ["virt-customize", ...args, "--commands-from-file", list] };
  const command = await mortalTree(nice);
  const child = execa(command.program, command.args, {
    env: { ...env, PATH: toolPath },
    stdin: "ignore",
    all: true,
    buffer: false,
    reject: false,
    cancelSignal: signal,
    killSignal: command.killSignal,
    forceKillAfterDelay: 5_000,
  });
  let lastError = "virt-customize said nothing";
  for await (const line of child.iterable({ from: "all" })) {
    report.log(line);
    if (line.includes("error:")) lastError = line.replace(/^.*?error: /, "");
  }
  const result = await child;
  signal.throwIfAborted();
  if (result.failed) {
    throw new CumulusError("bad_request", `The recipe could not be applied: ${lastError}. The log tells the step.`);
  }
}
