import { access, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { pathsOf, readSettings, type Settings } from "../env";
import { chooseUserScheme } from "../system/machineUsers";
import { removeTree } from "../system/removeTree";
import { whileFoldersAreStuck } from "../system/testing/stuckFolders";
import { prepareFolders, sweepLeftovers } from "./folders";

const log = { debug() {}, info() {}, warn() {}, error() {} };

async function testFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "folders-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Folders of an agent that was killed in the middle of a recipe and of a look into a disk. */
async function killedAgentsFolders(): Promise<Settings> {
  const dir = await testFolder();
  const env = { NODE_ENV: "test", CUMULUS_DATA_DIR: join(dir, "data"), CUMULUS_RUN_DIR: join(dir, "run") } as const;
  const settings = readSettings(env);
  const own = chooseUserScheme("0 1000 1\n", []);
  await prepareFolders(settings, own, log);
  const left = [pathsOf(settings).guestfsScratch, join(settings.runDir, "guestfish-aaaaaa")];
  for (const folder of left) await mkdir(join(folder, "image-7"), { recursive: true });
  await mkdir(join(settings.runDir, "agent"));
  return settings;
}

test("what a killed agent left of recipes and looks into disks is swept, and no other folder", async () => {
  const settings = await killedAgentsFolders();
  await sweepLeftovers(settings, () => false, log);
  expect((await readdir(settings.runDir)).sort()).toEqual(["agent", "vms"]);
});

test("what can't be swept stays and is told, and the agent starts", async () => {
  const settings = await killedAgentsFolders();
  const told: object[] = [];
  const telling = { ...log, warn: (fields: object) => told.push(fields) };
  await whileFoldersAreStuck(() => sweepLeftovers(settings, () => false, telling));
  const left = [join(settings.runDir, "guestfish-aaaaaa"), pathsOf(settings).guestfsScratch];
  const error = expect.stringContaining("Directory not empty");
  expect(told).toEqual(left.map((path) => ({ path, error })));
  for (const path of left) await access(path);
});

test("a folder is removed with its links, and nothing that they lead to; one that isn't there is none", async () => {
  const dir = await testFolder();
  await mkdir(join(dir, "lent", "deep"), { recursive: true });
  await mkdir(join(dir, "other"));
  await writeFile(join(dir, "other", "file"), "kept");
  await symlink(join(dir, "other"), join(dir, "lent", "deep", "link"));
  await removeTree(join(dir, "lent"));
  await removeTree(join(dir, "lent"));
  await access(join(dir, "other", "file"));
  expect(await readdir(dir)).toEqual(["other"]);
});
