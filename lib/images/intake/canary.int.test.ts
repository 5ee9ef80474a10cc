import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { projectDir } from "../../paths";
import { badFiles } from "../testing/badFiles";
import { qcow2Disk } from "../testing/images";

const hasStrace = (await execa("strace", ["-V"], { reject: false })).exitCode === 0;

/** The kernel's own account: strace sees each file that any of the processes opens. Where it isn't installed, badFiles.int.test.ts has the clock. */
test.skipIf(!hasStrace)("no process opens the host file that the bad files name", { timeout: 600_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "canary-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [canary, qcow2, trace] = ["canary", "good.qcow2", "trace"].map((name) => join(folder, name));
  await writeFile(canary ?? "", "SECRET");
  await writeFile(qcow2 ?? "", await qcow2Disk(folder));
  const script = join(projectDir, "lib/images/testing/uploadBad.ts");
  const command = [process.execPath, "--import", "tsx", script, folder, qcow2, canary];
  await execa("strace", ["-f", "-qq", "-e", "trace=open,openat,openat2", "-o", trace, ...command].map(String), {
    cwd: projectDir,
  });

  const refused = JSON.parse(await readFile(join(folder, "refused.json"), "utf8"));
  expect(Object.keys(refused)).toHaveLength(badFiles.length);
  const opened = await readFile(trace ?? "", "utf8");
  expect(opened).toContain("/proc/self/fd/3");
  expect(opened.includes(canary ?? "")).toBe(false);
});
