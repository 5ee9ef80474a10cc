import type { Snapshot } from "../../lib/domain/snapshot";

export interface Branch {
  snapshot: Snapshot;
  /** 0 for those that came from the image. */
  depth: number;
  /** Whether a way other than the oldest begins with it. */
  isFork: boolean;
}

/**
 * Snapshots in the order of what came from what, the oldest first: each before those that came from it. A line of one after the other is as deep as its
 * beginning: only where a VM was put back, and went on another way, does it branch off.
 */
export function treeOf(snapshots: readonly Snapshot[]): Branch[] {
  const ids = new Set(snapshots.map(({ id }) => id));
  const childrenOf = (parent: Snapshot | null) =>
    snapshots.filter(({ parentId }) => (parent ? parentId === parent.id : !ids.has(parentId ?? 0))).toSorted(byAge);
  const from = (snapshot: Snapshot, depth: number, isFork = false): Branch[] => {
    const [next, ...branches] = childrenOf(snapshot);
    return [
      { snapshot, depth, isFork },
      ...branches.flatMap((branch) => from(branch, depth + 1, true)),
      ...(next ? from(next, depth) : []),
    ];
  };
  return childrenOf(null).flatMap((root) => from(root, 0));
}

function byAge(a: Snapshot, b: Snapshot): number {
  return a.createdAt.localeCompare(b.createdAt) || a.id - b.id;
}
