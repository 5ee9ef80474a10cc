import type { HostContext } from "../context";
import { backingFiles, layerNode, readerOf } from "../diskFiles";
import type { Layer } from "./layerStore";
import { mergeFiles } from "./mergeFiles";

export interface Merging {
  target: string;
  virtualBytes: number;
  /** A disk above the layers; null: the top layer is the top. */
  own: string | null;
  /** The whole chain, the top first. */
  layers: readonly Layer[];
  /** The lowest of them that goes into the new file. */
  merged: Layer;
  /** Who writes the file. */
  vmId: number;
}

/** Writes a file that reads as the top of a chain and builds on what is below the lowest layer that goes into it. */
export async function writeMerged(
  context: HostContext,
  { target, virtualBytes, own, layers, merged, vmId }: Merging,
  signal: AbortSignal,
): Promise<void> {
  const files = backingFiles(context, layers, merged.imageSha256);
  const chain = own === null ? files : [{ nodeName: "disk", path: own }, ...files];
  const index = chain.findIndex(({ nodeName }) => nodeName === layerNode(merged.id));
  const user = readerOf(context, vmId, layers);
  await mergeFiles({ target, virtualBytes, chain, base: chain[index + 1] ?? null, user }, signal);
}
