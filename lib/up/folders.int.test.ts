import { mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeFolders, makeSecrets } from "./folders";

const isRoot = process.getuid?.() === 0;
const account = { uid: 12_345, gid: 12_345 };

let folder: string;
let settings: { dataDir: string; runDir: string };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulus-folders-"));
  settings = { dataDir: join(folder, "data"), runDir: join(folder, "a", "run") };
});
afterEach(() => rm(folder, { recursive: true }));

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

test("a user's folders are that user's alone, whatever the umask", async () => {
  const before = process.umask(0o000);
  try {
    await makeFolders(settings, undefined);
  } finally {
    process.umask(before);
  }
  expect(await modeOf(settings.dataDir)).toBe("700");
  expect(await modeOf(settings.runDir)).toBe("700");
});

test.runIf(isRoot)("root's folders can be passed through by the service account, and not listed", async () => {
  const before = process.umask(0o077);
  try {
    await makeFolders(settings, account);
  } finally {
    process.umask(before);
  }
  for (const path of [settings.dataDir, settings.runDir, join(folder, "a")]) expect(await modeOf(path)).toBe("711");
});

test.runIf(isRoot)("secrets are made once, for the service account's eyes only", async () => {
  await makeFolders(settings, account);
  await makeSecrets(settings, account);
  const path = join(settings.dataDir, "admin-token");
  const token = await readFile(path, "utf8");
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect(await modeOf(path)).toBe("600");
  expect((await stat(path)).uid).toBe(account.uid);
  await makeSecrets(settings, account);
  expect(await readFile(path, "utf8")).toBe(token);
  expect(await readFile(join(settings.dataDir, "auth-secret"), "utf8")).not.toBe(token);
});

test("a data folder that can't be made is said in one sentence", async () => {
  await expect(makeFolders({ ...settings, dataDir: "/dev/null/data" }, undefined)).rejects.toThrow(
    /^The data folder \/dev\/null\/data is not writable \(ENOTDIR.*\): give it to your user, or set CUMULUS_DATA_DIR to another one\.$/,
  );
});

test.runIf(isRoot)("a full disk is said in one sentence", async () => {
  await mkdir(settings.dataDir);
  await execa("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", settings.dataDir]);
  try {
    await expect(makeFolders(settings, undefined)).rejects.toThrow(
      /^The disk is full: .* has \d+ MiB free and Cumulus needs 1 GiB\. Free some, or set CUMULUS_DATA_DIR/,
    );
  } finally {
    await execa("umount", [settings.dataDir]);
  }
});
