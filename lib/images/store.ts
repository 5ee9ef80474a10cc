import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, chown, copyFile, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { z } from "zod";
import { CumulusError } from "../domain/errors";
import {
  type ImageIdentity,
  type ImageKind,
  type ImageManifest,
  imageKindSchema,
  imageManifestSchema,
} from "../domain/image";
import type { pathsOf } from "../env";
import { failpoint } from "../failpoints";
import { ActQueue } from "../hypervisor/actQueue";
import { isErrno, readTextIfThere, syncFolder, temporaryPattern, writeFileAtomic } from "../system/files";
import { imagesGid } from "../system/machineUsers";
import { readIsoLabel } from "./checks/iso";
import { assertSelfContained, readQcow2Header } from "./qcow2";
import { readVariables, sweepVariables, withVariables } from "./variables";

/**
 * The images of a host: files `images/<sha256>.qcow2`, or `.iso` for CD-ROMs, never changed once there, and beside them a manifest
 * `<sha256>.<name>.json` for each image. An image is a name for a file: those of the same bytes share one. A manifest is written after the file;
 * the file goes after the last manifest of it. UEFI variables lie beside them (lib/images/variables.ts).
 */

type StorePaths = Pick<ReturnType<typeof pathsOf>, "images" | "staging">;

const suffixes: Record<ImageKind, string> = { disk: "qcow2", iso: "iso" };

export function imageFile(paths: Pick<StorePaths, "images">, sha256: string, kind: ImageKind = "disk"): string {
  return join(paths.images, `${sha256}.${suffixes[kind]}`);
}

/** A file's names are changed one at a time: the last one takes the file along. */
const changes = new ActQueue<string>();

function manifestFile(paths: Pick<StorePaths, "images">, { sha256, name }: ImageIdentity): string {
  return join(paths.images, `${sha256}.${name}.json`);
}

/** Makes the folder so that VMs may read images that they are told of, and list none. */
export async function prepareImageStore(paths: StorePaths): Promise<void> {
  await mkdir(paths.staging, { recursive: true, mode: 0o700 });
  await mkdir(paths.images, { recursive: true, mode: 0o700 });
  const gid = await imagesGid();
  if (gid === null) return;
  await chown(paths.images, 0, gid);
  await chmod(paths.images, 0o710);
  // Work that is somebody else's passes through to its own folder; the others are closed.
  await chmod(paths.staging, 0o711);
}

/** Whether a file is a manifest by its name: of an image, or of any. Those of before files had several names are called by the file alone. */
function isManifestFile(file: string, image?: ImageIdentity): boolean {
  const [, sha256, name] = /^([0-9a-f]{64})(?:\.(.+))?\.json$/.exec(file) ?? [];
  if (sha256 === undefined) return false;
  return image === undefined || (sha256 === image.sha256 && (name ?? image.name) === image.name);
}

/** Whole images, by name. A manifest that isn't readable is told to `onBroken` and left out. */
export async function listImages(
  paths: Pick<StorePaths, "images">,
  onBroken: (file: string) => void,
): Promise<ImageManifest[]> {
  const files = await namesIn(paths.images);
  const found: ImageManifest[] = [];
  for (const file of files.filter((file) => isManifestFile(file))) {
    const sha256 = file.slice(0, 64);
    const manifest = parseManifest(await readTextIfThere(join(paths.images, file)));
    const isThere = manifest?.sha256 === sha256 && files.includes(`${sha256}.${suffixes[manifest.kind]}`);
    if (isThere && isManifestFile(file, manifest)) found.push(manifest);
    else onBroken(join(paths.images, file));
  }
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

/** The image that a task has made; undefined when it has made none. @param task what the task gave to `installImage` */
export async function findImageOf(paths: StorePaths, task: string): Promise<ImageManifest | undefined> {
  for (const image of await listImages(paths, () => {})) {
    if (taskOf(await readTextIfThere(manifestFile(paths, image))) === task) return image;
  }
  return undefined;
}

/**
 * Removes what a crash left half written, and tells of image files without a manifest: those of an image that was being installed or removed. They
 * count as none, and whether a disk builds on one the caller knows.
 * @returns their hashes
 */
export async function sweepImageStore({ images }: StorePaths): Promise<string[]> {
  const names = await namesIn(images);
  for (const name of names.filter((name) => temporaryPattern.test(name))) await rm(join(images, name), { force: true });
  await sweepVariables({ images });
  const hashes = names.flatMap((name) => /^([0-9a-f]{64})\.(qcow2|iso)$/.exec(name)?.[1] ?? []);
  return hashes.filter((sha256) => !names.some((name) => isManifestFile(name) && name.startsWith(`${sha256}.`)));
}

/** What an image's file doesn't say itself. */
export type ImageDescription = Omit<
  z.input<typeof imageManifestSchema>,
  "sha256" | "fileBytes" | "virtualBytes" | "variablesSha256" | "createdAt"
> & {
  /** The least disk of a VM, where its maker asks for a larger one than the file's. */
  minDiskBytes?: number;
};

export interface InstallOptions {
  /** By which `findImageOf` finds the image, when the agent ended before it was told that the image is there. */
  task?: string | undefined;
  /** A file of UEFI variables that the image is to carry, which stays where it is; null: none. */
  variables?: string | null;
}

/**
 * Takes a qcow2 or ISO file into the store: checks its header, hashes it, and moves it in. The file is gone from where it was. An image of the
 * same name and bytes is kept and gets the new description; those of other names and the same bytes stay as they are. Throws `bad_request` for a
 * file that refers to others, or is not of the kind that is said.
 */
export async function installImage(
  paths: StorePaths,
  file: string,
  description: ImageDescription,
  { task, variables: variablesPath = null }: InstallOptions = {},
): Promise<ImageManifest> {
  await prepareImageStore(paths);
  const staged = join(paths.staging, `image-${randomBytes(8).toString("hex")}.qcow2`);
  try {
    await moveFile(file, staged);
    failpoint("agent.install.staged");
    const kind = description.kind ?? "disk";
    const virtualBytes = await usableBytes(staged, kind);
    const sha256 = await sha256Of(staged);
    const { size: fileBytes } = await stat(staged);
    const variables = variablesPath === null ? null : await readVariables(variablesPath);
    const manifest = imageManifestSchema.parse({
      ...description,
      sha256,
      fileBytes,
      virtualBytes: Math.max(virtualBytes, description.minDiskBytes ?? 0),
      variablesSha256: variables?.sha256 ?? null,
      createdAt: new Date().toISOString(),
    });
    await seal(staged);
    await changes.run(sha256, async () => {
      await rename(staged, imageFile(paths, sha256, kind));
      await syncFolder(paths.images);
      failpoint("agent.install.moved");
      const kept = task === undefined ? manifest : { ...manifest, task };
      await withVariables(paths, variables, async () => {
        if (variables) failpoint("agent.install.variables-kept");
        await writeFileAtomic(manifestFile(paths, manifest), `${JSON.stringify(kept, null, 2)}\n`);
        await removeFormerManifest(paths, manifest);
      });
    });
    failpoint("agent.install.described");
    return manifest;
  } finally {
    await rm(staged, { force: true });
  }
}

/**
 * Removes an image, and is done when there is none. Its file stays while images of other names are of the same bytes.
 * @param whenLast called before the file is to go: throws when somebody needs it
 */
export async function removeImage(
  paths: Pick<StorePaths, "images">,
  image: ImageIdentity,
  whenLast: () => Promise<void> = async () => {},
): Promise<void> {
  const { sha256 } = image;
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new CumulusError("bad_request", "An image's id is 64 hexadecimal digits.");
  await changes.run(sha256, async () => {
    const present = await listImages(paths, () => {});
    if (present.some((other) => other.sha256 === sha256 && other.name !== image.name)) {
      return withVariables(paths, null, async () => {
        await rm(manifestFile(paths, image), { force: true });
        await removeFormerManifest(paths, image);
      });
    }
    await whenLast();
    await removeFile(paths, sha256);
  });
}

/** Removes a file with all its manifests. */
async function removeFile(paths: Pick<StorePaths, "images">, sha256: string): Promise<void> {
  const files = (await namesIn(paths.images)).filter((file) => file.startsWith(`${sha256}.`));
  await withVariables(paths, null, async () => {
    for (const file of files.filter((file) => isManifestFile(file))) await rm(join(paths.images, file));
  });
  failpoint("agent.image-remove.undescribed");
  for (const kind of imageKindSchema.options) await rm(imageFile(paths, sha256, kind), { force: true });
}

/** A manifest of this image that is called as they were before files had several names. */
async function removeFormerManifest({ images }: Pick<StorePaths, "images">, { sha256, name }: ImageIdentity) {
  const file = join(images, `${sha256}.json`);
  if (parseManifest(await readTextIfThere(file))?.name === name) await rm(file);
}

/** How large the disk or CD-ROM is for a guest. Throws `bad_request` for a file that is none. */
async function usableBytes(file: string, kind: ImageKind): Promise<number> {
  if (kind === "iso") {
    await readIsoLabel(file);
    return (await stat(file)).size;
  }
  const header = await readQcow2Header(file);
  assertSelfContained(header);
  return header.virtualBytes;
}

/** Read-only for all, readable for VMs; on disk before it gets its name. */
async function seal(file: string): Promise<void> {
  const gid = await imagesGid();
  if (gid !== null) await chown(file, 0, gid);
  await chmod(file, gid === null ? 0o400 : 0o440);
  const handle = await open(file, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!isErrno(error, "EXDEV")) throw error;
    await copyFile(from, to);
    await rm(from);
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
}

function taskOf(manifest: string | null): unknown {
  const kept: unknown = JSON.parse(manifest ?? "null");
  return kept !== null && typeof kept === "object" && "task" in kept ? kept.task : undefined;
}

function parseManifest(text: string | null): ImageManifest | undefined {
  if (text === null) return undefined;
  try {
    return imageManifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
