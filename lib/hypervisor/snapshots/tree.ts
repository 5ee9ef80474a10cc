import type { Layer } from "../layers/layerStore";

/** Of each snapshot's layer, the nearest one below it that is a snapshot's too; null: the image comes first. Pure. */
export function nearestBelow(
  layers: readonly Pick<Layer, "id" | "parent">[],
  snapshotOf: ReadonlyMap<string, number>,
): (layerId: string) => number | null {
  const parents = new Map(layers.map(({ id, parent }) => [id, parent]));
  return (layerId) => {
    for (let id = parents.get(layerId) ?? null; id !== null; id = parents.get(id) ?? null) {
      const found = snapshotOf.get(id);
      if (found !== undefined) return found;
    }
    return null;
  };
}
