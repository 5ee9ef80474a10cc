import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readSettings } from "../../env";
import { firstDisk } from "../diskRecord";
import { machinePaths } from "../machinePaths";
import { keepUefiVars, type SnapshotTarget } from "./hold";

test("UEFI variables that the guest wrote while they were copied are copied again, others are not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "uefi-vars-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const settings = readSettings({ NODE_ENV: "test", CUMULUS_DATA_DIR: folder, CUMULUS_RUN_DIR: folder });
  const target = { context: { settings }, spec: { id: 1, firmware: "uefi" } } as unknown as SnapshotTarget;
  const paths = machinePaths(settings, 1);
  const file = join(paths.folder, firstDisk.uefiVars);
  const making = { uefiVars: join(folder, "kept.fd"), memory: null };
  mkdirSync(paths.folder, { recursive: true });
  writeFileSync(file, "before");
  utimesSync(file, new Date(0), new Date(0));
  const asOfNs = await keepUefiVars(target, firstDisk, making);

  writeFileSync(making.uefiVars, "as it was");
  await keepUefiVars(target, firstDisk, making, asOfNs);
  expect(readFileSync(making.uefiVars, "utf8")).toBe("as it was");

  writeFileSync(file, "after");
  // Earlier than the copy was done.
  utimesSync(file, new Date(0), new Date(statSync(making.uefiVars).mtimeMs - 1));
  await keepUefiVars(target, firstDisk, making, asOfNs);
  expect(readFileSync(making.uefiVars, "utf8")).toBe("after");
});
