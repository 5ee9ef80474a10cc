import type { ImageManifest } from "../../domain/image";
import { pathsOf } from "../../env";
import { failpoint } from "../../failpoints";
import { makeStagingFolder, removeStagingFolder, stagingFolder } from "../../images/staging/folder";
import { defaultImageLimits } from "../../images/staging/limits";
import { withRoom } from "../../images/staging/room";
import { findImageOf } from "../../images/store";
import type { TaskCall } from "./kind";

export interface WorkCall extends TaskCall {
  /** A private folder for this work alone. */
  workDir: string;
}

/**
 * Gives work a folder that is gone afterwards; what a crash left in it is gone before. Work ends when the host's disk has no more room than it
 * keeps for its VMs.
 * @throws `insufficient_capacity`; what `work` throws
 */
export async function withWorkDir<T>(call: TaskCall, work: (call: WorkCall) => Promise<T>): Promise<T> {
  const folder = stagingFolder(pathsOf(call.settings), call.operationId);
  await removeStagingFolder(folder);
  await makeStagingFolder(folder);
  failpoint("agent.work.folder-made");
  try {
    const { reserveBytes } = defaultImageLimits;
    return await withRoom(folder.path, reserveBytes, call.signal, (signal) =>
      work({ ...call, signal, workDir: folder.path }),
    );
  } finally {
    await removeStagingFolder(folder);
  }
}

/** Makes an image once: an agent that ended when the image was there, and that was not written down yet, finds it when it is back. */
export async function makingOnce(call: TaskCall, make: () => Promise<ImageManifest>): Promise<ImageManifest> {
  const paths = pathsOf(call.settings);
  const made = await findImageOf(paths, call.task);
  if (!made) return make();
  await removeStagingFolder(stagingFolder(paths, call.operationId));
  return made;
}
