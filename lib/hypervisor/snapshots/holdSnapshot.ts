import type { HostContext } from "../context";
import type { SnapshotRecord } from "./snapshotStore";

/**
 * Keeps a snapshot's layers while something is made of them: it may be deleted meanwhile. Rejects with `not_found` when it is gone.
 * @returns the way to let go
 */
export async function holdSnapshot(
  { layers, snapshots }: Pick<HostContext, "layers" | "snapshots">,
  { layerId, manifest }: SnapshotRecord,
): Promise<() => void> {
  return layers.locked(async () => {
    await snapshots.get(manifest.id);
    await layers.chain(layerId);
    return layers.hold(layerId);
  });
}
