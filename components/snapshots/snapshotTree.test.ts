import { describe, expect, test } from "vitest";
import { exampleSnapshot } from "./exampleSnapshot";
import { type Branch, treeOf } from "./snapshotTree";

type Rest = NonNullable<Parameters<typeof exampleSnapshot>[1]>;
const taken = (id: number, parentId: number | null, rest: Rest = {}) =>
  exampleSnapshot(id, { parentId, createdAt: new Date(id * 1000).toISOString(), ...rest });

/** A row as it is drawn: lanes that pass by, how it hangs on what came before, and whether its lane goes on. */
const drawn = ({ snapshot, lane, joins, goesOn }: Branch) => {
  const passing = "|".repeat(joins === "left" ? lane - 1 : lane);
  const join = { above: "|", left: "|-", none: "" }[joins ?? "none"];
  return `${passing}${join}${snapshot?.id ?? "now"}${goesOn ? "" : "."}`;
};
const shape = (...args: Parameters<typeof treeOf>) => treeOf(...args).map(drawn);

test("a line of snapshots, each from the one before, stays a line", () => {
  expect(shape([taken(3, 2), taken(1, null), taken(2, 1)])).toEqual(["1", "|2", "|3."]);
});

test("where the VM went on another way, the branch stands below what it came from, and the line that it left passes by it", () => {
  const snapshots = [taken(1, null), taken(2, 1), taken(3, 2), taken(4, 1), taken(5, 4)];
  expect(shape(snapshots)).toEqual(["1", "|-4", "||5.", "|2", "|3."]);
});

test("a branch of a branch, and two branches at one place, each have a lane beside the line that they left", () => {
  const snapshots = [taken(1, null), taken(2, 1), taken(3, 1), taken(4, 1), taken(5, 3), taken(6, 3)];
  expect(shape(snapshots)).toEqual(["1", "|-3", "||-6.", "||5.", "|-4.", "|2."]);
});

test("what came from a snapshot that isn't listed begins a line of its own", () => {
  expect(shape([taken(2, 9), taken(3, 2), taken(4, null)])).toEqual(["2", "|3.", "4."]);
});

test("each says what it came from", () => {
  const parents = treeOf([taken(1, null), taken(2, 1), taken(3, 9)]).map(({ parent }) => parent?.id ?? null);
  expect(parents).toEqual([null, 1, null]);
});

describe("where the VM is now", () => {
  test("is the end of the line when the disk builds on the newest", () => {
    const snapshots = [taken(1, null), taken(2, 1, { isCurrent: true })];
    expect(shape(snapshots, { showsNow: true })).toEqual(["1", "|2", "|now."]);
  });

  test("is a branch of its own where the VM was put back to", () => {
    const snapshots = [taken(1, null, { isCurrent: true }), taken(2, 1)];
    const tree = treeOf(snapshots, { showsNow: true });
    expect(tree.map(drawn)).toEqual(["1", "|-now.", "|2."]);
    expect(tree[1]?.parent?.id).toBe(1);
  });

  test("begins a line of its own when it builds on the image", () => {
    expect(shape([taken(1, null)], { showsNow: true })).toEqual(["1.", "now."]);
  });

  test("is told only where it is asked for", () => {
    expect(shape([taken(1, null, { isCurrent: true })])).toEqual(["1."]);
  });
});

test("one that is being taken stands where it will be: on what its own VM's disk builds on", () => {
  const other = { id: 2, name: "other", deleted: false };
  const snapshots = [
    taken(1, null, { isCurrent: true }),
    taken(2, 1),
    taken(3, null, { status: "creating" }),
    taken(4, null, { vm: other, isCurrent: true }),
  ];
  expect(shape(snapshots)).toEqual(["1", "|-3.", "|2.", "4."]);
});
