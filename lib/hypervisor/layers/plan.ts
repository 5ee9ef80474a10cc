import type { Layer } from "./layerStore";

/** What builds on layers. */
export interface References {
  layers: readonly Layer[];
  /** Layers that snapshots name. */
  snapshotLayers: ReadonlySet<string>;
  /** Layers that something works with right now. */
  held: (id: string) => boolean;
  disks: readonly { vmId: number; parent: string | null }[];
}

export type ReclaimStep =
  | { kind: "remove"; layer: Layer }
  /** The layer's data goes into the one layer above it, which then builds on what is below. */
  | { kind: "merge-into-layer"; layer: Layer; child: Layer }
  | { kind: "merge-into-disk"; layer: Layer; vmId: number };

/**
 * What gives space back: a layer that nothing names and nothing builds on goes; one on which only one other builds is merged into that. One that several
 * build on stays: it holds once what they share. Pure.
 */
export function reclaimSteps({ layers, snapshotLayers, held, disks }: References): ReclaimStep[] {
  const unnamed = layers.filter(({ id }) => !snapshotLayers.has(id) && !held(id));
  return unnamed.flatMap((layer): ReclaimStep[] => {
    const children = layers.filter(({ parent }) => parent === layer.id);
    const users = disks.filter(({ parent }) => parent === layer.id);
    if (children.length + users.length === 0) return [{ kind: "remove", layer }];
    if (children.length + users.length > 1) return [];
    const [child] = children;
    const [user] = users;
    if (child) return [{ kind: "merge-into-layer", layer, child }];
    return user ? [{ kind: "merge-into-disk", layer, vmId: user.vmId }] : [];
  });
}

export function keyOf(step: ReclaimStep): string {
  return `${step.kind} ${step.layer.id}`;
}
