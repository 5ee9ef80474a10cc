import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { pathsOf } from "../../env";
import { isErrno } from "../../system/files";

type Paths = Pick<ReturnType<typeof pathsOf>, "staging">;

/** Where an operation keeps what it has of an image: named by the operation, so that it finds it again after a restart. */
export interface StagingFolder {
  path: string;
  /** The file as it came; of a download, as much of it as has come. */
  received: string;
  /** As much of an upload as has come: `received` once it is whole. */
  receiving: string;
  /** What is known of a download. */
  downloadState: string;
  expanded: string;
  converted: string;
}

export function stagingFolder(paths: Paths, operationId: number): StagingFolder {
  const path = join(paths.staging, `image-${operationId}`);
  return {
    path,
    received: join(path, "received"),
    receiving: join(path, "receiving"),
    downloadState: join(path, "download.json"),
    expanded: join(path, "expanded"),
    converted: join(path, "converted.qcow2"),
  };
}

export async function makeStagingFolder({ path }: StagingFolder): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

export async function removeStagingFolder({ path }: StagingFolder): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

/**
 * Removes what operations left that nobody takes up again: uploads, whose sender is gone, and downloads that were cancelled as the agent ended.
 * @param isTakenUp whether the operation's task runs, or will
 * @returns the folders that are gone
 */
export async function sweepStagingFolders(
  paths: Paths,
  isTakenUp: (operationId: number) => boolean,
): Promise<string[]> {
  const names = await readdir(paths.staging).catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return [] as string[];
    throw error;
  });
  const swept: string[] = [];
  for (const name of names) {
    const operationId = /^image-([1-9]\d{0,14})$/.exec(name)?.[1];
    if (operationId === undefined || isTakenUp(Number(operationId))) continue;
    await rm(join(paths.staging, name), { recursive: true, force: true });
    swept.push(join(paths.staging, name));
  }
  return swept;
}
