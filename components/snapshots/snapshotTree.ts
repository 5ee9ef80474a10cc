import type { Snapshot } from "../../lib/domain/snapshot";

export interface Branch {
  /** Null: where the VM is now. */
  snapshot: Snapshot | null;
  /** What it came from, where that is listed. */
  parent: Snapshot | null;
  /** The lane that it stands in. All the lanes left of it go on past it. */
  lane: number;
  /** How it hangs on what came before: from above in its lane, as a branch off the lane left of it, or not at all. */
  joins: "above" | "left" | null;
  /** Whether its own lane goes on below. */
  goesOn: boolean;
}

/**
 * Snapshots in the order of what came from what, the oldest first: each before those that came from it. A line of one after the other stays in its lane:
 * only where a VM was put back, and went on another way, does a branch begin a lane of its own, above the rest of the line that it left.
 * @param showsNow whether where the VM is now stands in it, as the youngest of what came from there; for snapshots of one live VM
 */
export function treeOf(snapshots: readonly Snapshot[], { showsNow = false } = {}): Branch[] {
  const byId = new Map(snapshots.map((snapshot) => [snapshot.id, snapshot]));
  const parentOf = (snapshot: Snapshot) =>
    (snapshot.status === "creating" ? currentOf(snapshots, snapshot) : byId.get(snapshot.parentId ?? 0)) ?? null;
  const now = showsNow ? (snapshots.find(({ isCurrent }) => isCurrent) ?? null) : undefined;
  const childrenOf = (parent: Snapshot | null): (Snapshot | null)[] => {
    const taken = snapshots.filter((snapshot) => parentOf(snapshot) === parent).toSorted(byAge);
    return now === parent ? [...taken, null] : taken;
  };
  const from = (snapshot: Snapshot | null, lane: number, joins: Branch["joins"]): Branch[] => {
    const parent = snapshot ? parentOf(snapshot) : (now ?? null);
    const children = snapshot ? childrenOf(snapshot) : [];
    const [next, ...branches] = children;
    return [
      { snapshot, parent, lane, joins, goesOn: next !== undefined },
      ...branches.flatMap((branch) => from(branch, lane + 1, "left")),
      ...(next === undefined ? [] : from(next, lane, "above")),
    ];
  };
  return childrenOf(null).flatMap((root) => from(root, 0, null));
}

/** What one that is being taken will come from. */
function currentOf(snapshots: readonly Snapshot[], { vm }: Snapshot): Snapshot | undefined {
  return snapshots.find((one) => one.isCurrent && one.vm.id === vm.id);
}

function byAge(a: Snapshot, b: Snapshot): number {
  return a.createdAt.localeCompare(b.createdAt) || a.id - b.id;
}
