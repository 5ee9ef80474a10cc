import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { gatherDiskRecord } from "./layers";

const layer = (letter: string) => letter.repeat(16);
const disk = (letter: string) => `disk-${layer(letter)}.qcow2`;

test("all files and all layers that a disk's record names are gathered", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cumulus-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const first = { disk: "disk.qcow2", uefiVars: "uefi-vars.fd", parent: null, replaced: null };
  const second = { disk: disk("b"), uefiVars: "uefi-vars.fd", parent: layer("2"), replaced: first };
  const cut = { layerId: layer("3"), disk: disk("d") };
  const record = { disk: disk("c"), uefiVars: "uefi-vars.fd", parent: layer("1"), cut, replaced: second };
  await writeFile(join(folder, "disk.json"), JSON.stringify(record));

  expect(await gatherDiskRecord(folder)).toEqual({
    ...{ disk: disk("c"), uefiVars: "uefi-vars.fd", parent: layer("1"), cutDisk: disk("d") },
    replaced: [disk("b"), "uefi-vars.fd", "disk.qcow2", "uefi-vars.fd"],
    otherLayers: [layer("3"), layer("2")],
  });
});
