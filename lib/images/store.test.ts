import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pathsOf } from "../env";
import { type ImageDescription, imageFile, installImage, listImages, removeImage } from "./store";

let folder: string;
let paths: ReturnType<typeof pathsOf>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulus-"));
  paths = pathsOf({ dataDir: join(folder, "data"), runDir: join(folder, "run") });
});
afterEach(() => rm(folder, { recursive: true }));

const description: ImageDescription = {
  name: "tiny",
  title: "Tiny",
  description: "",
  arch: "x86_64",
  firmware: "bios",
  minMemoryBytes: 1,
  loginUser: "root",
  recipeHash: null,
};

async function qcow2(name: string, args: string[] = []): Promise<string> {
  const file = join(folder, name);
  await execa("qemu-img", ["create", "-f", "qcow2", ...args, file, "1M"]);
  return file;
}

function unexpected(file: string): never {
  throw new Error(`broken: ${file}`);
}

test("an image is installed under its hash, listed, installed again, and removed", async () => {
  const file = await qcow2("a.qcow2");
  const bytes = await readFile(file);
  const manifest = await installImage(paths, file, description);
  expect(manifest.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
  expect(manifest).toMatchObject({ virtualBytes: 2 ** 20, fileBytes: bytes.length });
  expect(await listImages(paths, unexpected)).toEqual([manifest]);
  expect(await readFile(imageFile(paths, manifest.sha256))).toEqual(bytes);
  expect(await readdir(folder)).toEqual(["data"]);

  await writeFile(file, bytes);
  const again = await installImage(paths, file, { ...description, title: "Tiny 2" });
  expect(await listImages(paths, unexpected)).toEqual([again]);
  await removeImage(paths, manifest.sha256);
  await removeImage(paths, manifest.sha256);
  expect(await listImages(paths, unexpected)).toEqual([]);
  expect(await readdir(paths.images)).toEqual([]);
});

test("a file that leads to others is refused, and nothing of it stays", async () => {
  const base = await qcow2("base.qcow2");
  const overlay = await qcow2("overlay.qcow2", ["-b", base, "-F", "qcow2"]);
  await expect(installImage(paths, overlay, description)).rejects.toMatchObject({ code: "bad_request" });
  expect(await readdir(paths.images)).toEqual([]);
  expect(await readdir(paths.staging)).toEqual([]);
});

test("a manifest that is damaged or without its file is told and left out", async () => {
  const manifest = await installImage(paths, await qcow2("a.qcow2"), description);
  await writeFile(
    join(paths.images, `${"0".repeat(64)}.json`),
    JSON.stringify({ ...manifest, sha256: "0".repeat(64) }),
  );
  await writeFile(join(paths.images, `${"1".repeat(64)}.json`), "{");
  const broken: string[] = [];
  expect(await listImages(paths, (file) => broken.push(file))).toEqual([manifest]);
  expect(broken).toHaveLength(2);
});
