import { createHash } from "node:crypto";
import { copyFile, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { pathsOf } from "../env";
import { type ImageDescription, imageFile, installImage, listImages, removeImage, sweepImageStore } from "./store";
import { variablesFile } from "./variables";

/** A disk as qemu-img makes it. */
let disk: Buffer;
beforeAll(async () => {
  const made = await mkdtemp(join(tmpdir(), "cumulus-"));
  await execa("qemu-img", ["create", "-f", "qcow2", join(made, "disk.qcow2"), "1M"]);
  disk = await readFile(join(made, "disk.qcow2"));
  await rm(made, { recursive: true });
});

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

async function qcow2(name: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, disk);
  return file;
}

function unexpected(file: string): never {
  throw new Error(`broken: ${file}`);
}

test("an image is installed under its hash, listed, installed again, and removed", async () => {
  const file = await qcow2("a.qcow2");
  const manifest = await installImage(paths, file, description);
  expect(manifest.sha256).toBe(createHash("sha256").update(disk).digest("hex"));
  expect(manifest).toMatchObject({ virtualBytes: 2 ** 20, fileBytes: disk.length });
  expect(await listImages(paths, unexpected)).toEqual([manifest]);
  expect(await readFile(imageFile(paths, manifest.sha256))).toEqual(disk);
  expect(await readdir(folder)).toEqual(["data"]);

  await writeFile(file, disk);
  const again = await installImage(paths, file, { ...description, title: "Tiny 2" });
  expect(await listImages(paths, unexpected)).toEqual([again]);
  await removeImage(paths, manifest);
  await removeImage(paths, manifest);
  expect(await listImages(paths, unexpected)).toEqual([]);
  expect(await readdir(paths.images)).toEqual([]);
});

test("images of the same bytes share a file, which goes with the last of their names", async () => {
  const file = await qcow2("a.qcow2");
  const first = await installImage(paths, file, description);
  await writeFile(file, disk);
  const second = await installImage(paths, file, { ...description, name: "tiny-2.json", title: "Tiny 2" });
  expect(second.sha256).toBe(first.sha256);
  expect(await listImages(paths, unexpected)).toEqual([first, second]);

  const refuse = () => Promise.reject(new Error("somebody needs the file"));
  await removeImage(paths, first, refuse);
  expect(await listImages(paths, unexpected)).toEqual([second]);
  expect(await readFile(imageFile(paths, second.sha256))).toEqual(disk);
  await expect(removeImage(paths, second, refuse)).rejects.toThrow("somebody needs the file");
  expect(await listImages(paths, unexpected)).toEqual([second]);
  await removeImage(paths, second);
  expect(await readdir(paths.images)).toEqual([]);
});

test("an image that is removed while the same bytes come by another name leaves that one whole", async () => {
  const [file, again] = [await qcow2("a.qcow2"), join(folder, "again.qcow2")];
  await copyFile(file, again);
  const first = await installImage(paths, file, description);
  const [second] = await Promise.all([
    installImage(paths, again, { ...description, name: "other" }),
    removeImage(paths, first),
  ]);
  expect(await listImages(paths, unexpected)).toEqual([second]);
});

test("UEFI variables come with an image, are shared by those that carry the same, and go with the last of them", async () => {
  const [vars, other] = [join(folder, "vars"), join(folder, "other")];
  await writeFile(vars, "variables");
  await writeFile(other, "other variables");
  const install = async (name: string, variables: string | null) =>
    installImage(paths, await qcow2("a.qcow2"), { ...description, name }, { variables });
  const kept = async () => (await readdir(paths.images)).filter((file) => file.endsWith(".vars"));

  const first = await install("first", vars);
  const second = await install("second", vars);
  expect(second.variablesSha256).toBe(createHash("sha256").update("variables").digest("hex"));
  expect(await readFile(variablesFile(paths, first.variablesSha256 ?? ""), "utf8")).toBe("variables");
  expect(await readFile(vars, "utf8")).toBe("variables");
  expect(await kept()).toHaveLength(1);
  await removeImage(paths, first);
  expect(await kept()).toHaveLength(1);
  // The newest description counts, and what it doesn't name goes.
  const again = await install("second", other);
  expect(await kept()).toEqual([`${again.variablesSha256}.vars`]);
  await install("second", null);
  expect(await kept()).toEqual([]);
  await removeImage(paths, await install("second", vars));
  expect(await readdir(paths.images)).toEqual([]);
});

test("variables that a crash left without a manifest are swept, and those that a damaged manifest names stay", async () => {
  const [vars, lost] = [join(folder, "vars"), "e".repeat(64)];
  await writeFile(vars, "variables");
  const { sha256, variablesSha256 } = await installImage(paths, await qcow2("a.qcow2"), description, {
    variables: vars,
  });
  const manifest = join(paths.images, `${sha256}.tiny.json`);
  await writeFile(manifest, (await readFile(manifest, "utf8")).replace("{", ""));
  await writeFile(variablesFile(paths, lost), "lost");
  await sweepImageStore(paths);
  const files = [`${sha256}.qcow2`, `${sha256}.tiny.json`, `${variablesSha256}.vars`];
  expect((await readdir(paths.images)).sort()).toEqual(files.sort());
});

test("a manifest called by its file alone is an image's like any other", async () => {
  const file = await qcow2("a.qcow2");
  const manifest = await installImage(paths, file, description);
  const former = join(paths.images, `${manifest.sha256}.json`);
  await rename(join(paths.images, `${manifest.sha256}.tiny.json`), former);
  expect(await listImages(paths, unexpected)).toEqual([manifest]);
  await writeFile(file, disk);
  const other = await installImage(paths, file, { ...description, name: "other" });
  expect(await listImages(paths, unexpected)).toEqual([other, manifest]);
  await writeFile(file, disk);
  const again = await installImage(paths, file, description);
  expect(await listImages(paths, unexpected)).toEqual([other, again]);
  await rename(join(paths.images, `${manifest.sha256}.tiny.json`), former);
  await removeImage(paths, manifest);
  expect(await listImages(paths, unexpected)).toEqual([other]);
});

test("a file that leads to others is refused, and nothing of it stays", async () => {
  const base = await qcow2("base.qcow2");
  const overlay = join(folder, "overlay.qcow2");
  await execa("qemu-img", ["create", "-f", "qcow2", "-b", base, "-F", "qcow2", overlay]);
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
  await writeFile(join(paths.images, `${manifest.sha256}.another.json`), JSON.stringify(manifest));
  const broken: string[] = [];
  expect(await listImages(paths, (file) => broken.push(file))).toEqual([manifest]);
  expect(broken).toHaveLength(3);
});
