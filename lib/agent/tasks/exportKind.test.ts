import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { pathsOf, readSettings } from "../../env";
import { until } from "../../hypervisor/testing/until";
import { removeOldExports, sweepExports } from "./exportKind";

function exportsFolder() {
  const dataDir = mkdtempSync(join(tmpdir(), "exports-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const settings = readSettings({ NODE_ENV: "test", CUMULUS_DATA_DIR: dataDir, CUMULUS_RUN_DIR: join(dataDir, "run") });
  const { exports } = pathsOf(settings);
  mkdirSync(exports, { recursive: true });
  const add = (name: string, ageHours: number) => {
    const file = join(exports, name);
    writeFileSync(file, "disk");
    const at = new Date(Date.now() - ageHours * 3_600_000);
    utimesSync(file, at, at);
    return file;
  };
  return { settings, exports, add };
}

test("an export goes when its day is over, though nothing else is exported and the agent isn't started anew", async () => {
  const { settings, add } = exportsFolder();
  const timer = sweepExports(settings, { error() {} }, 10);
  onTestFinished(() => clearInterval(timer));
  const [young, old] = [add("1.qcow2", 23), add("2.qcow2", 25)];
  await until(() => !existsSync(old));
  expect(existsSync(young)).toBe(true);
});

test("an export that another removes at the same moment keeps no other from going", async () => {
  const { settings, exports, add } = exportsFolder();
  // Listed, and gone when it is looked at.
  symlinkSync(join(exports, "gone"), join(exports, "1.qcow2"));
  const old = add("2.qcow2", 25);
  await removeOldExports(settings);
  expect(existsSync(old)).toBe(false);
});
