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
  | { kind: "merge-into-disk"; layer: Layer; vmId: number }
  /** The data of all layers under `child` down to this one goes into `child` too; they stay for the snapshots that name them. */
  | { kind: "fold"; layer: Layer; child: Layer };

/** From how many layers of one level on they are folded. */
const foldCount = 8;

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

/**
 * What keeps the chains short that VMs read through, since a read of what lies far below asks each layer above it. Eight layers that follow each other become
 * one of the next level, and eight of those one of the level above, as in a log-structured merge tree with tiers: with n snapshots a chain is at most
 * 7 · log₈(n) long or so, and what a VM wrote is there at most log₈(n) times more. Pure.
 */
export function foldSteps({ layers, disks }: Pick<References, "layers" | "disks">): ReclaimStep[] {
  const byId = new Map(layers.map((layer) => [layer.id, layer]));
  return disks.flatMap(({ parent }): ReclaimStep[] => {
    const run: Layer[] = [];
    for (let at = byId.get(parent ?? ""); at !== undefined; at = byId.get(at.parent ?? "")) {
      if (at.level !== run[0]?.level) {
        if (run.length >= foldCount) break;
        run.length = 0;
      }
      run.push(at);
    }
    const [child] = run;
    const layer = run.at(-1);
    return child && layer && run.length >= foldCount ? [{ kind: "fold", layer, child }] : [];
  });
}

export function keyOf(step: ReclaimStep): string {
  return `${step.kind} ${step.layer.id}${step.kind === "fold" ? ` into ${step.child.id}` : ""}`;
}
