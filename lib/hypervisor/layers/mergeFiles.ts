import { rm } from "node:fs/promises";
import { syncFile } from "../../system/files";
import type { MachineUser } from "../../system/machineUsers";
import { createOverlayOnLayer } from "../disk";
import type { BackingFile } from "../diskFiles";
import { chainOf } from "../qemu/argv";
import { StorageDaemon } from "./storageDaemon";
import { beginStream, streamEnded } from "./streamJob";
import { writeOut } from "./writeOut";

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
  { target, virtualBytes, chain, base, user }: MergeFiles,
  signal: AbortSignal,
): Promise<void> {
  await rm(target, { force: true });
  try {
    await createOverlayOnLayer(target, base?.path ?? null, virtualBytes, user);
    await streamInto(target, { chain, base, user }, signal);
    await syncFile(target);
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  }
}

async function streamInto(
  target: string,
  { chain, base, user }: Pick<MergeFiles, "chain" | "base" | "user">,
  signal: AbortSignal,
): Promise<void> {
  const node = { driver: "qcow2", "node-name": "merged" };
  const file = { driver: "file", "node-name": "merged-file", filename: target };
  const daemon = await StorageDaemon.start({ ...node, file, backing: chainOf(chain) }, user);
  try {
    await beginStream(daemon.qmp, "merged", base);
    await streamEnded(daemon.qmp, signal);
    await syncFile(target);
    // However the daemon ends from here on, nothing is lost with it.
    await writeOut(daemon.qmp, { ...node, file: "merged-file", backing: base?.nodeName ?? null });
  } finally {
    await daemon.close();
  }
}
