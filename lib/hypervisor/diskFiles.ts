import { join } from "node:path";
import { pathsOf } from "../env";
import { imageFile } from "../images/store";
import type { MachineUser } from "../system/machineUsers";
import type { HostContext } from "./context";
import type { DiskRecord } from "./diskRecord";
import type { Layer } from "./layers/layerStore";
import { type MachinePaths, machinePaths } from "./machinePaths";

export interface BackingFile {
  /** Name of its node in QEMU. */
  nodeName: string;
  path: string;
}

/** The files of a VM's disk. */
export interface DiskFiles {
  disk: string;
  uefiVars: string;
  /** What the disk builds on, the top first and the image last. */
  backing: BackingFile[];
}

export const layerNode = (id: string): string => `layer-${id}`;
const imageNode = "image0";

/** Name of the node under a qcow2 node that is its file: by it the path is found, which QEMU tells of other nodes cut short (at 4096 characters). */
export const fileNodeOf = (node: string): string => `${node}-file`;

/**
 * The node of a file. When a guest goes on whose memory was sent, QEMU drops what the host has cached of it, as if another host had written it meanwhile, unless it is told not to
 * ("drop-cache", qapi/block-core.json; on Linux alone).
 */
export const fileNode = (filename: string, options: { "node-name"?: string; "read-only"?: boolean } = {}): object => ({
  driver: "file",
  filename,
  ...options,
  ...(process.platform === "linux" && { "drop-cache": false }),
});

/** The files of layers, the top first, and of the image under them. */
export function backingFiles(
  context: Pick<HostContext, "settings" | "layers">,
  layers: readonly Layer[],
  imageSha256: string | null,
): BackingFile[] {
  const files = layers.map(({ id }) => ({ nodeName: layerNode(id), path: context.layers.file(id) }));
  if (imageSha256 === null) return files;
  return [...files, { nodeName: imageNode, path: imageFile(pathsOf(context.settings), imageSha256) }];
}

/** Whom a process runs as that works with these layers: in the groups that may read them, and those that the VM's own disk becomes while it runs. */
export function readerOf(
  context: Pick<HostContext, "users">,
  id: number,
  layers: readonly Layer[],
): MachineUser | null {
  const user = context.users.userOf(id);
  if (user === null) return null;
  const gids = layers.map(({ vmId }) => context.users.userOf(vmId)?.layersGid ?? user.layersGid);
  return { ...user, extraGids: [...new Set([...user.extraGids, user.layersGid, ...gids])] };
}

/** All files that a VM's disk is made of, and who may read them. */
export async function resolveDisk(
  context: HostContext,
  spec: { id: number; disk: { imageSha256: string | null } },
  record: DiskRecord,
): Promise<{ files: DiskFiles; user: MachineUser | null; layers: Layer[] }> {
  const { folder } = machinePaths(context.settings, spec.id);
  const layers = await context.layers.chain(record.parent);
  const bottom = layers.at(-1);
  const files = {
    disk: join(folder, record.disk),
    uefiVars: join(folder, record.uefiVars),
    backing: backingFiles(context, layers, bottom ? bottom.imageSha256 : spec.disk.imageSha256),
  };
  return { files, user: readerOf(context, spec.id, layers), layers };
}

/** Where a file of a VM's lies that its record names. */
export function inFolder(paths: Pick<MachinePaths, "folder">, name: string): string {
  return join(paths.folder, name);
}
