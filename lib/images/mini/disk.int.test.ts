import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { settleTimes } from "../fileTimes";
import { writeDisk } from "./disk";
import { packInitramfs } from "./initramfs";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "mini-disk-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** A disk of files as a build lays them out: some with a package's time, others made just now. */
async function diskOf(attempt: string): Promise<{ path: string; madeAtMs: number }> {
  const place = (name: string) => join(dir, attempt, name);
  for (const folder of ["root/etc", "boot"]) await mkdir(place(folder), { recursive: true });
  const startedAt = Math.floor(Date.now() / 1000);
  await writeFile(place("root/etc/of-a-package"), "packed\n");
  await execa("touch", ["--date=@1700000000", place("root/etc/of-a-package")]);
  await writeFile(place("root/etc/made"), "made\n");
  const epoch = await settleTimes(place("root"), startedAt);
  expect(epoch).toBe(1_700_000_000);
  const initramfs = {
    busybox: "/bin/true",
    modules: new Map(),
    dir: place("initramfs"),
    target: place("boot/initrd.gz"),
  };
  await packInitramfs({ ...initramfs, epoch });
  const path = place("disk.qcow2");
  await writeDisk({ arch: "x86_64", root: place("root"), boot: place("boot"), epoch, target: path });
  return { path, madeAtMs: (await stat(path)).mtimeMs };
}

const sha256Of = async (path: string) =>
  createHash("sha256")
    .update(await readFile(path))
    .digest("hex");

test("the same packages' files give the same disk, byte for byte, at another time", async () => {
  const first = await diskOf("first");
  // FAT counts two seconds as one.
  await expect.poll(() => Date.now() - first.madeAtMs, { timeout: 10_000 }).toBeGreaterThan(2500);
  const again = await diskOf("again");
  expect(await sha256Of(again.path)).toBe(await sha256Of(first.path));
});
