import { expect, test } from "vitest";
import { type Planted, qemu, toldAfter, vm } from "../testing/planted";
import { nowMs } from "../testSnapshot";

const planted: Planted[] = [
  [
    "a paused guest is said to run",
    (s) => (qemu(s, 1).qmp = { answers: true, uuid: vm(s, 1).uuid, status: "paused", hasBlockJob: false }),
    /said to be running and QEMU is "paused"/,
  ],
  [
    "a silent QEMU is said to run",
    (s) => (qemu(s, 1).qmp = { answers: false, reason: "no answer" }),
    /said to be running and QEMU is silent/,
  ],
  [
    "a QEMU whose guest is off is left to wait",
    (s) => (qemu(s, 1).qmp = { answers: true, uuid: vm(s, 1).uuid, status: "shutdown", hasBlockJob: false }),
    /said to be running and QEMU is "shutdown"/,
  ],
  [
    "nobody looks",
    (s) => (vm(s, 2).observedAtMs = nowMs - 60_000),
    /Nobody has looked after VM vm-2 \(id 2\) for 60 s/,
  ],
];

test.each(planted)("it is told when %s", (_what, plant, told) => {
  expect(toldAfter(plant)).toContainEqual(expect.stringMatching(told));
});
