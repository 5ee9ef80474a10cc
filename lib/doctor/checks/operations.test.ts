import { expect, test } from "vitest";
import { type Planted, toldAfter } from "../testing/planted";
import { nowMs } from "../testSnapshot";

const planted: Planted[] = [
  [
    "an operation stays open",
    (s) => s.openOperations.push({ id: 5, kind: "stop", vmId: 1, isVmDeleted: false, dueFromMs: nowMs - 361_000 }),
    /Operation 5 \(stop of VM vm-1 \(id 1\)\) has been open for 6 minutes/,
  ],
  [
    "an operation of a deleted VM is open",
    (s) => s.openOperations.push({ id: 5, kind: "stop", vmId: 8, isVmDeleted: true, dueFromMs: nowMs }),
    /Operation 5 .* is open though its VM is deleted/,
  ],
];

test.each(planted)("it is told when %s", (_what, plant, told) => {
  expect(toldAfter(plant)).toContainEqual(expect.stringMatching(told));
});
