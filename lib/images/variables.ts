import { createHash } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { pathsOf } from "../env";
import { ActQueue } from "../hypervisor/actQueue";
import { isErrno, readTextIfThere, writeFileAtomic } from "../system/files";

/**
 * UEFI variables that images carry: files `images/<sha256>.vars`, the agent's alone and never changed. The manifests that need one name it. It is there before the
 * first of them, and goes after the last; one that no manifest names is what a crash left.
 */

type StorePaths = Pick<ReturnType<typeof pathsOf>, "images">;

const filePattern = /^([0-9a-f]{64})\.vars$/;

/** What manifests name is changed one at a time. */
const changes = new ActQueue<"variables">();

export function variablesFile({ images }: StorePaths, sha256: string): string {
  return join(images, `${sha256}.vars`);
}

/** Variables to be kept with an image. */
export interface Variables {
  sha256: string;
  content: Buffer;
}

/** Reads variables: half a MiB of a PC's, and 64 MiB of an aarch64 machine's. */
export async function readVariables(file: string): Promise<Variables> {
  const content = await readFile(file);
  return { sha256: createHash("sha256").update(content).digest("hex"), content };
}

/**
 * Puts variables into the store, and lets a manifest be written, replaced or removed that names them, or others. Those that no manifest names afterwards are
 * gone.
 * @param variables null: it names none
 */
export async function withVariables(
  paths: StorePaths,
  variables: Variables | null,
  changeManifests: () => Promise<void>,
): Promise<void> {
  await changes.run("variables", async () => {
    try {
      if (variables) await writeFileAtomic(variablesFile(paths, variables.sha256), variables.content);
      await changeManifests();
    } finally {
      await removeUnnamed(paths);
    }
  });
}

/** Removes what a crash left that no manifest names. */
export async function sweepVariables(paths: StorePaths): Promise<void> {
  await changes.run("variables", () => removeUnnamed(paths));
}

/** A manifest that can't be read any more still counts: somebody may mend it. */
async function removeUnnamed(paths: StorePaths): Promise<void> {
  const names = await readdir(paths.images).catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  });
  const kept = names.flatMap((name) => filePattern.exec(name)?.[1] ?? []);
  if (kept.length === 0) return;
  const manifests = names.filter((name) => name.endsWith(".json"));
  const texts = await Promise.all(manifests.map((name) => readTextIfThere(join(paths.images, name))));
  for (const sha256 of kept) {
    if (!texts.some((text) => text?.includes(sha256))) await rm(variablesFile(paths, sha256), { force: true });
  }
}
