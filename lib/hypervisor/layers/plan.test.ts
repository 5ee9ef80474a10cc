import { expect, test } from "vitest";
import { nearestBelow } from "../snapshots/tree";
import type { Layer } from "./layerStore";
import { reclaimSteps } from "./plan";

const layer = (id: string, parent: string | null): Layer => ({
  id,
  parent,
  imageSha256: null,
  vmId: 1,
  virtualBytes: 1,
  openedAs: "",
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

test("a snapshot's parent is the nearest one below it that is still there", () => {
  const parentOf = nearestBelow(
    chain,
    new Map([
      ["a", 1],
      ["c", 3],
    ]),
  );
  expect([parentOf("c"), parentOf("b"), parentOf("a")]).toEqual([1, 1, null]);
});
