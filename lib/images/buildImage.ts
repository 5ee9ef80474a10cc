import { z } from "zod";
import { type Arch, archSchema } from "../domain/arch";
import type { ImageManifest, PresentRecipe } from "../domain/image";
import { type BuildableImage, buildableImages } from "../domain/imageRequest";
import type { TaskReport } from "../domain/task";
import { MIB } from "../domain/units";
import type { pathsOf } from "../env";
import { failpoint } from "../failpoints";
import { buildDebian } from "./debian/build";
import { debianRecipeHash } from "./debian/recipe";
import { buildMini } from "./mini/build";
import { miniPrerequisites } from "./mini/prerequisites";
import { miniRecipeHash } from "./mini/recipe";
import { fulfil } from "./requirements";
import { type ImageDescription, installImage } from "./store";

export const imageBuildSchema = z.object({ name: z.enum(buildableImages), arch: archSchema });
export type ImageBuild = z.infer<typeof imageBuildSchema>;

export interface BuildCall {
  /** A private folder for this build alone; what it holds afterwards is the caller's to remove. */
  workDir: string;
  report: TaskReport;
  signal: AbortSignal;
  /** By which `findImageOf` finds the image. */
  task?: string;
}

/** An image's file, and all that is to be said of it. */
interface Built {
  file: string;
  description: ImageDescription;
}

const builders: Record<BuildableImage, (arch: Arch, call: BuildCall) => Promise<Built>> = {
  mini: miniImage,
  "debian-12": debianImage,
};

/**
 * Makes an image from the distribution's packages and takes it into the store. Called again after a crash it begins anew.
 * @throws CumulusError `unavailable`: it can't be made here; the message says what to do
 */
export async function buildImage(
  paths: Pick<ReturnType<typeof pathsOf>, "images" | "staging">,
  { name, arch }: ImageBuild,
  call: BuildCall,
): Promise<ImageManifest> {
  const { file, description } = await builders[name](arch, call);
  failpoint("agent.build.made");
  call.signal.throwIfAborted();
  call.report.progress(95, "puts the image into the store");
  return installImage(paths, file, description, { task: call.task });
}

/** The hash by which an image that was built tells whether it is as the present recipe makes it. */
export function recipeHashOf({ name, arch }: ImageBuild): string {
  return name === "mini" ? miniRecipeHash(arch) : debianRecipeHash();
}

let presentRecipes: PresentRecipe[] | undefined;

/** The recipes of all that can be built. Read once: a version's own files stay as they are. */
export function listPresentRecipes(): PresentRecipe[] {
  const read = () =>
    buildableImages.flatMap((name) =>
      archSchema.options.map((arch) => ({ name, arch, recipeHash: recipeHashOf({ name, arch }) })),
    );
  presentRecipes ??= read();
  return presentRecipes;
}

async function miniImage(arch: Arch, { workDir, report, signal }: BuildCall): Promise<Built> {
  await fulfil(() => miniPrerequisites(arch), { report, signal });
  const messages: string[] = [];
  const log = (line: string) => {
    messages.push(line);
    report.log(line);
    report.progress(Math.min(90, messages.length * 25), line);
  };
  const mini = await buildMini({ workDir, arch, log, signal });
  const firmware = arch === "x86_64" ? "bios" : "uefi";
  return {
    file: mini.path,
    description: {
      name: "mini",
      title: arch === "x86_64" ? "Cumulus mini" : `Cumulus mini (${arch})`,
      description: `A small Linux of ${mini.basedOn} packages (kernel ${mini.kernelVersion}, BusyBox, dropbear): boots in seconds.`,
      arch,
      firmware,
      firmwares: [firmware],
      minMemoryBytes: arch === "x86_64" ? 128 * MIB : 256 * MIB,
      loginUser: mini.loginUser,
      recipeHash: mini.recipeHash,
    },
  };
}

async function debianImage(arch: Arch, call: BuildCall): Promise<Built> {
  return {
    file: await buildDebian({ arch, ...call }),
    description: {
      name: "debian-12",
      title: "Debian 12 (bookworm)",
      description:
        "Debian with systemd, cloud-init, OpenSSH and QEMU's guest agent, made on this host for a quick start.",
      arch,
      firmware: "bios",
      firmwares: ["bios", "uefi"],
      minMemoryBytes: 384 * MIB,
      loginUser: "debian",
      recipeHash: debianRecipeHash(),
      os: { family: "debian", release: "12" },
      // Long-term support: https://wiki.debian.org/LTS
      endOfLife: "2028-06-30",
      source: { type: "built" },
    },
  };
}
