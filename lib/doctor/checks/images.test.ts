import { expect, test } from "vitest";
import { addManifest, type Planted, the, toldAfter } from "../testing/planted";
import { file, imageSha256 } from "../testSnapshot";

const planted: Planted[] = [
  [
    "an image of the database has no file",
    (s) =>
      s.images.push({
        ...{ id: 2, name: "debian-12", kind: "disk", sha256: "b".repeat(64), fileBytes: 1 },
        ...{ variablesSha256: null, isBeingRemoved: false },
      }),
    /of the image debian-12 is gone/,
  ],
  [
    "an image has lost its UEFI variables",
    (s) => (the(s.images[0]).variablesSha256 = "d".repeat(64)),
    /d\.vars of the image mini are gone/,
  ],
  [
    "UEFI variables are no image's",
    (s) => s.files.set(`/data/images/${"d".repeat(64)}.vars`, file(0o600)),
    /d\.vars is no image of the database: remove it/,
  ],
  [
    "an image file was cut short",
    (s) => (the(s.files.get(`/data/images/${imageSha256}.qcow2`)).sizeBytes = 5),
    /of the image mini has 5 bytes and must have 17000000/,
  ],
  ["a manifest is gone", (s) => s.manifests.splice(0), /image mini has no manifest/],
  [
    "an image has only the manifest of another of the same file",
    (s) => s.images.push({ ...the(s.images[0]), id: 2, name: "mini-again" }),
    /image mini-again has no manifest/,
  ],
  [
    "a manifest names an image of a known file that is not in the database",
    (s) => addManifest(s, imageSha256, "forgotten"),
    /forgotten\.json is no image of the database: the console notes such files/,
  ],
  [
    "an image file is not in the database",
    (s) => s.files.set(`/data/images/${"c".repeat(64)}.qcow2`, file(0o440)),
    /c\.qcow2 is no image of the database: remove it/,
  ],
];

test.each(planted)("it is told when %s", (_what, plant, told) => {
  expect(toldAfter(plant)).toContainEqual(expect.stringMatching(told));
});
