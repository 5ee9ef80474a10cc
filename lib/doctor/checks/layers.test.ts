import { expect, test } from "vitest";
import { addSnapshot, machine, type Planted, the, toldAfter } from "../testing/planted";
import { folder, imageSha256 } from "../testSnapshot";

const planted: Planted[] = [
  [
    "a disk builds on a layer that is gone",
    (s) => Object.assign(machine(s, 1).record ?? {}, { parent: "c".repeat(16) }),
    /There is no layer \/data\/layers\/c+\.qcow2, on which the disk of VM vm-1 .* builds/,
  ],
  ["a layer's file is gone", (s) => addSnapshot(s, { hasFile: false }), /The layer \/data\/layers\/b+\.qcow2 is gone/],
  ["a layer has no manifest", (s) => addSnapshot(s, { manifest: null }), /has no manifest that can be read/],
  ["a layer is damaged", (s) => addSnapshot(s, { damage: "ERROR" }), /b+\.qcow2 is damaged \(ERROR\)/],
  [
    "a layer builds on one that is gone",
    (s) => addSnapshot(s, { manifest: { parent: "c".repeat(16), imageSha256 } }),
    /There is no layer \/data\/layers\/c+\.qcow2, on which the layer b+ builds/,
  ],
  [
    "a snapshot lacks its memory",
    (s) => {
      addSnapshot(s);
      the(s.snapshotFolders[0]).layerId = null;
    },
    /The snapshot in \/data\/snapshots\/5 can't be read or lacks its memory/,
  ],
  [
    "a half made snapshot was never swept",
    (s) => s.files.set("/data/snapshots/.making-6", folder(0o700)),
    /\/data\/snapshots\/\.making-6 was left half made/,
  ],
];

test.each(planted)("it is told when %s", (_what, plant, told) => {
  expect(toldAfter(plant)).toContainEqual(expect.stringMatching(told));
});
