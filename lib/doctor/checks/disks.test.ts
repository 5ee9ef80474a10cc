import { expect, test } from "vitest";
import { machine, type Planted, the, toldAfter } from "../testing/planted";
import { imageSha256 } from "../testSnapshot";

const planted: Planted[] = [
  ["a disk is gone", (s) => (machine(s, 3).disk = null), /disk \/data\/vms\/3\/disk\.qcow2 of VM vm-3 .* is gone/],
  [
    "a disk does not open",
    (s) => (machine(s, 1).disk = { opens: false, reason: "Image is corrupt" }),
    /does not open \(Image is corrupt\)/,
  ],
  [
    "a disk builds on another file",
    (s) => (machine(s, 1).disk = { opens: true, backingFile: "/etc/shadow", damage: null }),
    /builds on \/etc\/shadow instead of/,
  ],
  [
    "a disk builds on nothing",
    (s) => (machine(s, 1).disk = { opens: true, backingFile: null, damage: null }),
    /builds on no image instead of/,
  ],
  [
    "a disk is damaged",
    (s) => Object.assign(machine(s, 3).disk ?? {}, { damage: "ERROR cluster 3" }),
    /vms\/3\/disk\.qcow2 .* is damaged \(ERROR cluster 3\)/,
  ],
  [
    "the record of a disk can't be read",
    (s) => (machine(s, 1).record = null),
    /vms\/1\/disk\.json of VM vm-1 .* can't be read/,
  ],
  [
    "an image file is gone",
    (s) => s.files.delete(`/data/images/${imageSha256}.qcow2`),
    /image .* on which the disk of VM vm-1 .* builds is gone/,
  ],
  [
    "a disk that began empty builds on a file",
    (s) => {
      Object.assign(the(s.vms[0]), { imageSha256: null });
      Object.assign(the(s.machines[0]?.spec ?? undefined), { imageSha256: null });
    },
    /is to build on nothing/,
  ],
];

test.each(planted)("it is told when %s", (_what, plant, told) => {
  expect(toldAfter(plant)).toContainEqual(expect.stringMatching(told));
});
