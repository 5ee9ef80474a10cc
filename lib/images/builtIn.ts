import { rm } from "node:fs/promises";
import { join } from "node:path";
import { archOfNode } from "../domain/arch";
import { pathsOf, type Settings } from "../env";
import { buildMini } from "./mini/build";
import { miniPrerequisites } from "./mini/prerequisites";
import { miniRecipeHash } from "./mini/recipe";
import { installImage, listImages } from "./store";

export type BuiltInImage = { state: "present" | "built" } | { state: "unavailable"; reason: string };

const MiB = 1024 * 1024;

/**
 * Builds the image `mini` from this computer's distribution, unless it is there as the present recipe makes it. `unavailable` where it
 * can't be built. An image of an earlier recipe stays for the VMs that use it. Rejects when the build fails.
 */
export async function ensureBuiltInImages(
  settings: Pick<Settings, "dataDir" | "runDir">,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<BuiltInImage> {
  const arch = archOfNode(process.arch);
  if (!arch) return { state: "unavailable", reason: `there is none for ${process.arch} machines` };
  const paths = pathsOf(settings);
  const recipeHash = miniRecipeHash(arch);
  const images = await listImages(paths, (file) => log(`${file} is no image's description: left out`));
  if (images.some((image) => image.recipeHash === recipeHash)) return { state: "present" };
  const prerequisites = await miniPrerequisites(arch);
  if (!prerequisites.ok) return { state: "unavailable", reason: prerequisites.reason };

  const workDir = join(paths.staging, "mini");
  try {
    const mini = await buildMini({ workDir, arch, log, signal });
    await installImage(paths, mini.path, {
      name: "mini",
      title: "Cumulus mini",
      description: `A small Linux of ${mini.basedOn} packages (kernel ${mini.kernelVersion}, BusyBox, dropbear): boots in seconds.`,
      arch,
      firmware: arch === "x86_64" ? "bios" : "uefi",
      minMemoryBytes: 128 * MiB,
      loginUser: mini.loginUser,
      recipeHash,
    });
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
  return { state: "built" };
}
