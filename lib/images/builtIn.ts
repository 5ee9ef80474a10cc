import { rm } from "node:fs/promises";
import { join } from "node:path";
import { archOfNode } from "../domain/arch";
import type { TaskReport } from "../domain/task";
import { pathsOf, type Settings } from "../env";
import { buildImage, recipeHashOf } from "./buildImage";
import { miniPrerequisites } from "./mini/prerequisites";
import { listImages } from "./store";

export type BuiltInImage = { state: "present" | "built" } | { state: "unavailable"; reason: string };

/**
 * Builds the image `mini` from this computer's distribution, unless it is there as the present recipe makes it. `unavailable` where it
 * can't be built. An image of an earlier recipe stays for the VMs that use it. Rejects when the build fails.
 */
export async function ensureBuiltInImages(
  settings: Pick<Settings, "dataDir" | "runDir">,
  log: (line: string) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<BuiltInImage> {
  const arch = archOfNode(process.arch);
  if (!arch) return { state: "unavailable", reason: `there is none for ${process.arch} machines` };
  const paths = pathsOf(settings);
  const build = { name: "mini", arch } as const;
  const recipeHash = recipeHashOf(build);
  const images = await listImages(paths, (file) => log(`${file} is no image's description: left out`));
  if (images.some((image) => image.recipeHash === recipeHash)) return { state: "present" };
  const prerequisites = await miniPrerequisites(arch);
  if (!prerequisites.ok) return { state: "unavailable", reason: prerequisites.reason };

  const workDir = join(paths.staging, "mini");
  const report: TaskReport = { progress: () => {}, log };
  try {
    await buildImage(paths, build, { workDir, report, signal });
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
  return { state: "built" };
}
