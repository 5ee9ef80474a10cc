import { expect, test } from "vitest";
import type { Layer } from "./layerStore";
import { foldSteps, reclaimSteps } from "./plan";

const layer = (id: string, parent: string | null, level = 0): Layer => ({
  id,
  parent,
  imageSha256: null,
  vmId: 1,
  virtualBytes: 1,
  openedAs: "",
  snapshotBelow: null,
  level,
  foldedBytes: 0,
});

/** a ← b ← c ← the disk of VM 1. */
const chain = [layer("a", null), layer("b", "a"), layer("c", "b")];
const disks = [{ vmId: 1, parent: "c" }];

function steps(named: string[], more: Partial<Parameters<typeof reclaimSteps>[0]> = {}): string[] {
  const found = reclaimSteps({ layers: chain, snapshotLayers: new Set(named), held: () => false, disks, ...more });
  return found.map((step) => {
    if (step.kind === "remove") return `remove ${step.layer.id}`;
    return step.kind === "merge-into-disk"
      ? `${step.layer.id} into VM ${step.vmId}`
      : `${step.layer.id} into ${step.child.id}`;
  });
}

test("layers that snapshots name stay as they are", () => {
  expect(steps(["a", "b", "c"])).toEqual([]);
});

test("one in the middle goes into the one above it, the top one into the disk", () => {
  expect(steps(["a", "c"])).toEqual(["b into c"]);
  expect(steps(["a", "b"])).toEqual(["c into VM 1"]);
  expect(steps(["c"])).toEqual(["a into b", "b into c"]);
});

test("one on which several build stays: what they share is held once", () => {
  expect(steps(["a", "b"], { disks: [...disks, { vmId: 2, parent: "c" }] })).toEqual([]);
  expect(steps(["a", "c"], { disks: [...disks, { vmId: 2, parent: "b" }] })).toEqual([]);
});

test("one on which nothing builds is removed, unless something is being made of it", () => {
  expect(steps(["a", "b"], { disks: [] })).toEqual(["remove c"]);
  expect(steps(["a", "b"], { disks: [], held: (id) => id === "c" })).toEqual([]);
});

/** Layers from the bottom to the top, under the disk of VM 1. @param levels of each */
function folds(levels: number[]): string[] {
  const layers = levels.map((level, index) => layer(String(index), index === 0 ? null : String(index - 1), level));
  const steps = foldSteps({ layers, disks: [{ vmId: 1, parent: String(levels.length - 1) }] });
  return steps.map((step) => (step.kind === "fold" ? `${step.layer.id} to ${step.child.id}` : step.kind));
}

const times = (count: number, level: number) => Array<number>(count).fill(level);

test("eight layers of one level are folded into the one on top, and fewer are left alone", () => {
  expect(folds(times(7, 0))).toEqual([]);
  expect(folds(times(8, 0))).toEqual(["0 to 7"]);
  expect(folds([1, ...times(8, 0)])).toEqual(["1 to 8"]);
  expect(folds([...times(7, 1), ...times(7, 0)])).toEqual([]);
  expect(folds([...times(8, 1), ...times(2, 0)])).toEqual(["0 to 7"]);
  expect(folds(times(48, 0)), "of an older Cumulus, which folded none").toEqual(["0 to 47"]);
});

test("a chain of a thousand snapshots is never longer than 28 layers", () => {
  let chain: number[] = [];
  let longest = 0;
  for (let taken = 0; taken < 1000; taken++) {
    chain.push(0);
    for (let [step] = folds(chain); step !== undefined; [step] = folds(chain)) {
      const [from = 0, to = 0] = step.split(" to ").map(Number);
      chain = [...chain.slice(0, from), (chain[to] ?? 0) + 1, ...chain.slice(to + 1)];
    }
    longest = Math.max(longest, chain.length);
  }
  expect(longest).toBeLessThanOrEqual(28);
});

test("a disk on its image alone, and layers under no disk, are left alone", () => {
  expect(foldSteps({ layers: [], disks: [{ vmId: 1, parent: null }] })).toEqual([]);
  expect(
    foldSteps({ layers: times(9, 0).map((_, i) => layer(String(i), i ? String(i - 1) : null)), disks: [] }),
  ).toEqual([]);
});
