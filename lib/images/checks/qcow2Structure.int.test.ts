import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { qcow2Disk } from "../testing/images";
import { checkQcow2Structure } from "./qcow2Structure";
import { checkWithQemu } from "./qemuImg";

const maxVirtualBytes = 2 * 2 ** 40;

async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "qcow2-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function check(file: string): Promise<number> {
  const { virtualBytes } = await checkQcow2Structure(file, maxVirtualBytes);
  await checkWithQemu(file, virtualBytes, new AbortController().signal);
  return virtualBytes;
}

test.each([
  ["as of old", ["-o", "compat=0.10"]],
  ["compressed", ["-c"]],
  ["compressed by zstd", ["-c", "-o", "compression_type=zstd"]],
  ["of the smallest clusters", ["-o", "cluster_size=512"]],
  ["of the largest clusters", ["-o", "cluster_size=2M"]],
  ["with subclusters", ["-o", "cluster_size=128k,extended_l2=on"]],
  ["with wide reference counts", ["-o", "refcount_bits=64"]],
  ["with narrow reference counts", ["-o", "refcount_bits=1"]],
  ["with lazy reference counts", ["-o", "lazy_refcounts=on"]],
  ["with all of its space taken", ["-o", "preallocation=full"]],
])("a qcow2 file %s is accepted", async (_, options) => {
  const file = join(await testFolder(), "a.qcow2");
  await writeFile(file, await qcow2Disk(join(file, ".."), options));
  expect(await check(file)).toBe(4 * 2 ** 20);
});

test("an empty disk of the largest size that is taken is accepted, and one byte more is not", async () => {
  const folder = await testFolder();
  const [most, more] = [join(folder, "most"), join(folder, "more")];
  await execa("qemu-img", ["create", "-q", "-f", "qcow2", most, String(maxVirtualBytes)]);
  await execa("qemu-img", ["create", "-q", "-f", "qcow2", more, String(maxVirtualBytes + 512)]);
  expect(await check(most)).toBe(maxVirtualBytes);
  await expect(check(more)).rejects.toThrow(/2 TiB, the most/);
});
