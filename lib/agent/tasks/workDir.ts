import { pathsOf } from "../../env";
import { makeStagingFolder, removeStagingFolder, stagingFolder } from "../../images/staging/folder";
import type { TaskCall } from "./kind";

/** A folder that is gone afterwards; what a crash left in it is gone before. */
export async function withWorkDir<T>(
  { settings, operationId }: TaskCall,
  work: (workDir: string) => Promise<T>,
): Promise<T> {
  const folder = stagingFolder(pathsOf(settings), operationId);
  await removeStagingFolder(folder);
  await makeStagingFolder(folder);
  try {
    return await work(folder.path);
  } finally {
    await removeStagingFolder(folder);
  }
}
