import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findDiskTemplates } from "./find";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulus-templates-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(name: string, file: string): Promise<void> {
  await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, name, file), "disk");
}

test("templates are found by name, and what is none is told with the reason", async () => {
  await put("ubuntu_22.04", "ubuntu_22.04.qcow2");
  await put("ubuntu_22.04", "setup_root_password.sh");
  await put("debian_12", "debian_12.qcow2");
  await put("notes", "README");
  await put("Windows", "Windows.qcow2");
  await writeFile(join(folder, "a-file"), "");
  expect(await findDiskTemplates(folder)).toEqual({
    templates: ["debian_12", "ubuntu_22.04"].map((name) => ({
      name,
      file: join(folder, name, `${name}.qcow2`),
      sizeBytes: 4,
    })),
    others: [
      { name: "Windows", reason: expect.stringContaining("no image name") },
      { name: "notes", reason: "has no file notes.qcow2" },
    ],
  });
});

test("a folder without templates, and none at all, are errors that say what is missing", async () => {
  await put("disk-templates", "x.qcow2");
  await expect(findDiskTemplates(folder)).rejects.toThrow(
    /NAME\.qcow2 in it\. disk-templates has no file disk-templates\.qcow2\.$/,
  );
  await expect(findDiskTemplates(join(folder, "away"))).rejects.toThrow(/There is no folder .*away\./);
});
