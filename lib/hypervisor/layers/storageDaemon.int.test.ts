import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StorageDaemon } from "./storageDaemon";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulus-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function nodeOf(filename: string): object {
  return { driver: "qcow2", "node-name": "disk", "read-only": true, file: { driver: "file", filename } };
}

test("a daemon answers from the moment it is there, and ends when it is told to, also where many start at once", async () => {
  const disk = join(folder, "disk.qcow2");
  await execa("qemu-img", ["create", "-f", "qcow2", disk, "1M"]);
  const startAndEnd = async () => {
    const daemon = await StorageDaemon.start(nodeOf(disk), null);
    expect(await daemon.qmp.execute("query-named-block-nodes")).toContainEqual(
      expect.objectContaining({ "node-name": "disk" }),
    );
    await daemon.close();
  };
  for (let round = 0; round < 25; round++) await Promise.all([startAndEnd(), startAndEnd(), startAndEnd()]);
});

test("a disk that can't be opened is told, and no daemon is left", async () => {
  const disk = join(folder, "disk.qcow2");
  await writeFile(disk, "no qcow2");
  await expect(StorageDaemon.start(nodeOf(disk), null)).rejects.toMatchObject({
    code: "internal",
    message: "qemu-storage-daemon could not open the disk (exit status 1).",
  });
  const { stdout } = await execa("ps", ["-eo", "args"]);
  expect(stdout).not.toContain(disk);
});
