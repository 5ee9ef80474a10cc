import { mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { archivedVm } from "../../archives/testing/tar";
import { sizeLimits } from "../../domain/size";
import { pathsOf, readSettings } from "../../env";
import { testHypervisor } from "../testAgent";
import { taskKinds } from "./kinds";
import { TaskRunner } from "./runner";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

test("an archive as large as a VM's disk may be is refused for the room that the host lacks, not for its size", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "tasks-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const settings = readSettings({ NODE_ENV: "test", CUMULUS_DATA_DIR: dataDir, CUMULUS_RUN_DIR: join(dataDir, "run") });
  const tasks = new TaskRunner({ settings, hypervisor: testHypervisor(), log: silent, kinds: taskKinds });
  onTestFinished(() => tasks.close());
  await tasks.put(1, "vm-import", { description: archivedVm, imageName: "large" });
  const sent = tasks.uploads.bring(1, { body: Readable.from([]), contentLength: sizeLimits.diskBytes.max });
  await expect(sent).rejects.toMatchObject({ code: "insufficient_capacity" });
  expect(await readdir(pathsOf(settings).staging)).toEqual([]);
});
