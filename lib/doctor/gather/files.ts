import type { Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "../../system/files";
import type { FileFact, InstallationPaths } from "../snapshot";

/** Every file that the auditor judges: the folders of the installation themselves, and what is in those of images and VMs. */
export async function gatherFiles(paths: InstallationPaths): Promise<Map<string, FileFact>> {
  const files = new Map<string, FileFact>();
  await walk(paths.dataDir, 0, files);
  await walk(paths.runDir, 0, files);
  for (const folder of [
    paths.images,
    paths.staging,
    paths.layers,
    join(paths.dataDir, "logs"),
    join(paths.runDir, "agent"),
  ]) {
    await walk(folder, 0, files);
  }
  for (const folder of [paths.machines, paths.machineSockets, paths.snapshots]) await walk(folder, 1, files);
  return files;
}

/** @param depth how many levels of folders to enter below this one */
async function walk(folder: string, depth: number, files: Map<string, FileFact>): Promise<void> {
  const found = await look(folder);
  if (found === null) return;
  files.set(folder, found);
  if (found.kind !== "folder") return;
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    const fact = await look(path);
    // Gone since it was listed.
    if (fact === null) continue;
    files.set(path, fact);
    if (fact.kind === "folder" && depth > 0) await walk(path, depth - 1, files);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

async function look(path: string): Promise<FileFact | null> {
  try {
    const stats = await lstat(path);
    return {
      kind: kindOf(stats),
      mode: stats.mode & 0o7777,
      uid: stats.uid,
      sizeBytes: stats.size,
      modifiedAtMs: stats.mtimeMs,
    };
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return null;
    throw error;
  }
}

function kindOf(stats: Stats): FileFact["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  return stats.isSocket() ? "socket" : "other";
}
