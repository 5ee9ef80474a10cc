import type { HostContext } from "../context";
import type { DiskRecord } from "../diskRecord";

/**
 * The snapshot that a disk, or a layer when it was cut, stands on; null: the image comes first. Files alone can't tell: merging and folding change what a file
 * builds on. It may be deleted since, and is then named all the same.
 */
export async function snapshotUnder(
  { layers, snapshots }: Pick<HostContext, "layers" | "snapshots">,
  disk: Pick<DiskRecord, "parent" | "snapshotBelow">,
): Promise<number | null> {
  const snapshotOf = new Map((await snapshots.list()).map(({ layerId, manifest }) => [layerId, manifest.id]));
  for (let at = disk; ; ) {
    if (at.snapshotBelow !== null) return at.snapshotBelow;
    if (at.parent === null) return null;
    const named = snapshotOf.get(at.parent);
    if (named !== undefined) return named;
    at = await layers.read(at.parent);
  }
}
