import { expect, test } from "vitest";
import { exampleSnapshot } from "./exampleSnapshot";
import { treeOf } from "./snapshotTree";

const taken = (id: number, parentId: number | null) =>
  exampleSnapshot(id, { parentId, createdAt: new Date(id * 1000).toISOString() });
const shape = (...snapshots: ReturnType<typeof taken>[]) =>
  treeOf(snapshots).map(({ snapshot, depth }) => `${"-".repeat(depth)}${snapshot.id}`);

test("a line of snapshots, each from the one before, stays a line", () => {
  expect(shape(taken(3, 2), taken(1, null), taken(2, 1))).toEqual(["1", "2", "3"]);
});

test("where the VM went on another way, the branch stands below what it came from", () => {
  expect(shape(taken(1, null), taken(2, 1), taken(3, 2), taken(4, 1), taken(5, 4))).toEqual([
    "1",
    "-4",
    "-5",
    "2",
    "3",
  ]);
});

test("what came from a snapshot that isn't listed begins a line of its own", () => {
  expect(shape(taken(2, 9), taken(3, 2), taken(4, null))).toEqual(["2", "3", "4"]);
});
