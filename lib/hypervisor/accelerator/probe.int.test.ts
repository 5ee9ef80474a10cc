import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { readTextIfThere } from "../../system/files";
import { detectUserScheme } from "../../system/machineUsers";
import { hostArch } from "../hostReport";
import { detectAccelerator } from "./detect";
import { runProbe } from "./probe";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "cumulus-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

const silent = () => {};
const log = { debug: silent, info: silent, warn: silent, error: silent };

test("the test program runs to its end in time under emulation, also as a VM's user", async () => {
  const { userOf } = await detectUserScheme();
  for (const user of [null, userOf(1)]) {
    await expect.poll(() => runProbe(hostArch(), "tcg", "max", user)).toMatchObject({ isUsable: true });
  }
});

test("an accelerator that fails is not usable, in QEMU's words", async () => {
  const run = await runProbe(hostArch(), "tcg", "no-such-processor", null);
  expect(run).toMatchObject({ isUsable: false, finding: expect.stringContaining("no-such-processor") });
});

test("the choice ends in one that works, has a reason, and is kept for this boot", async () => {
  const users = await detectUserScheme();
  const choose = () => detectAccelerator({ accelerator: "auto", dataDir }, hostArch(), users, log);
  const first = await choose();
  expect(first.reason.length).toBeGreaterThan(10);
  if (first.kind !== "hvf") {
    const { kind, cpuModel } = first;
    const run = () => runProbe(hostArch(), kind, cpuModel, users.userOf(1));
    await expect.poll(run).toMatchObject({ isUsable: true });
  }
  const { PATH } = process.env;
  onTestFinished(() => {
    process.env.PATH = PATH;
  });
  // Without a QEMU that it could be tried with again.
  process.env.PATH = dataDir;
  expect(await choose()).toEqual(first);
  expect(await readTextIfThere(join(dataDir, "accelerator.json"))).toContain(first.reason.slice(0, 10));
});

test("the environment overrides the probe", async () => {
  const users = await detectUserScheme();
  await detectAccelerator({ accelerator: "auto", dataDir }, hostArch(), users, log);
  const chosen = await detectAccelerator({ accelerator: "tcg", dataDir }, hostArch(), users, log);
  expect(chosen).toMatchObject({ kind: "tcg", reason: expect.stringContaining("CUMULUS_ACCEL") });
});
