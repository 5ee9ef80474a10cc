import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Settings } from "../../env";
import { syncFile } from "../../system/files";
import type { MachineUser } from "../../system/machineUsers";
import type { HostContext } from "../context";
import { createOverlayOnLayer } from "../disk";
import type { BackingFile } from "../diskFiles";
import { chainOf } from "../qemu/argv";
import { StorageDaemon } from "./storageDaemon";
import { beginStream, streamEnded } from "./streamJob";

/** Where the merging process has its socket: one merges at a time. */
const folderName = "merge";

/** Removes what a crash left of a merge; its process has ended with the agent. */
export async function removeMergeFolder({ runDir }: Pick<Settings, "runDir">): Promise<void> {
  await rm(join(runDir, folderName), { recursive: true, force: true });
}

export interface MergeFiles {
  /** The new file: it reads as the top of the chain, and builds on `base`. */
  target: string;
  virtualBytes: number;
  /** All that is read, the top first. */
  chain: readonly BackingFile[];
  /** The one of them on which the new file builds; null: none. */
  base: BackingFile | null;
  /** Who may read them all. */
  user: MachineUser | null;
}

/** Writes a file that holds what the upper files of a chain hold, for nobody to use yet. Killed, it is half a file that is swept. */
export async function mergeFiles(
  { settings }: Pick<HostContext, "settings">,
  { target, virtualBytes, chain, base, user }: MergeFiles,
  signal: AbortSignal,
): Promise<void> {
  await rm(target, { force: true });
  await createOverlayOnLayer(target, base?.path ?? null, virtualBytes, user);
  const node = {
    driver: "qcow2",
    "node-name": "merged",
    file: { driver: "file", filename: target },
    backing: chainOf(chain),
  };
  const daemon = await StorageDaemon.start(settings, folderName, node, user);
  try {
    await beginStream(daemon.qmp, "merged", base);
    await streamEnded(daemon.qmp, signal);
  } catch (error) {
    await daemon.close();
    await rm(target, { force: true });
    throw error;
  }
  await daemon.close();
  await syncFile(target);
}
