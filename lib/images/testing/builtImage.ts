import { copyFile, link, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImageManifest } from "../../domain/image";
import type { pathsOf } from "../../env";
import { projectDir } from "../../paths";
import { isErrno } from "../../system/files";
import { buildImage, type ImageBuild, recipeHashOf } from "../buildImage";
import { imageFile, installImage, prepareImageStore } from "../store";

type Paths = Pick<ReturnType<typeof pathsOf>, "images" | "staging">;

/** Images that tests share, so that a run builds each once; beside the other caches of tools. */
const cacheDir = join(projectDir, "node_modules", ".cache", "cumulus-test-images");
/** Packages are mended every few days, and what people get is what is built from them. */
const maxAgeMs = 24 * 60 * 60 * 1000;

/** Installs an image that Cumulus builds into a test's own store. Built anew when the recipe has changed or the last one is a day old. */
export async function installBuiltImage(paths: Paths, build: ImageBuild): Promise<ImageManifest> {
  const folder = join(cacheDir, `${build.name}-${build.arch}-${recipeHashOf(build).slice(0, 16)}`);
  if (!(await isFresh(folder))) await fill(folder, build);
  const { sha256, fileBytes: _, virtualBytes: __, createdAt: ___, ...description } = await readManifest(folder);
  await prepareImageStore(paths);
  const copy = join(paths.staging, `cached-${sha256}.qcow2`);
  await copyFile(join(folder, "image.qcow2"), copy);
  return installImage(paths, copy, description);
}

async function fill(folder: string, build: ImageBuild): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  const making = await mkdtemp(join(cacheDir, "making-"));
  try {
    const paths = { images: join(making, "images"), staging: join(making, "staging") };
    const call = {
      workDir: join(making, "work"),
      report: { progress: () => {}, log: () => {} },
      signal: new AbortController().signal,
    };
    const manifest = await buildImage(paths, build, call);
    const whole = join(making, "whole");
    await mkdir(whole);
    await link(imageFile(paths, manifest.sha256), join(whole, "image.qcow2"));
    await writeFile(join(whole, "manifest.json"), JSON.stringify(manifest));
    await forgetOthers(folder);
    await rename(whole, folder).catch((error: unknown) => {
      // Another test was quicker, with the same.
      if (!isErrno(error, "ENOTEMPTY", "EEXIST")) throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** Removes what earlier recipes made, this one's when it is old, and what a run that was killed had begun. */
async function forgetOthers(folder: string): Promise<void> {
  const prefix = folder.slice(0, -16);
  for (const name of await readdir(cacheDir)) {
    const path = join(cacheDir, name);
    const isOld = path.startsWith(prefix) && (path !== folder || !(await isFresh(path)));
    const isAbandoned = name.startsWith("making-") && !(await isYoung(path));
    if (isOld || isAbandoned) await rm(path, { recursive: true, force: true });
  }
}

const isFresh = (folder: string) => isYoung(join(folder, "manifest.json"));

async function isYoung(path: string): Promise<boolean> {
  const made = await stat(path).catch(() => null);
  return made !== null && Date.now() - made.mtimeMs < maxAgeMs;
}

async function readManifest(folder: string): Promise<ImageManifest> {
  return JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
}
