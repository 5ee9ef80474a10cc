import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runProbe } from "./probe";
import { probePrograms } from "./probePrograms";

const { PATH } = process.env;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulus-"));
  process.env.PATH = [folder, PATH].join(delimiter);
});
afterEach(async () => {
  process.env.PATH = PATH;
  await rm(folder, { recursive: true });
});

const runsFile = () => join(folder, "runs");
const runs = async () => (await readFile(runsFile(), "utf8")).split("\n").length - 1;

/** A program in QEMU's place that counts its runs, in `$runs`. */
async function standIn(script: string): Promise<void> {
  const text = `#!/bin/sh\necho >>${runsFile()}\nruns=$(wc -l <${runsFile()})\n${script}\n`;
  await writeFile(join(folder, "qemu-system-x86_64"), text, { mode: 0o755 });
}
const exit = `exit ${probePrograms.x86_64.exitStatus}`;
const probe = (limits: { tooSlowMs: number; giveUpMs: number }) => runProbe("x86_64", "kvm", "host", null, limits);

test("an accelerator that was slow once, as on a busy computer, is usable", async () => {
  await standIn(`[ $runs -gt 1 ] || sleep 2\n${exit}`);
  expect(await probe({ tooSlowMs: 2000, giveUpMs: 60_000 })).toMatchObject({ isUsable: true });
  expect(await runs()).toBe(2);
});

test("one that is slow again is not, and is tried no third time", async () => {
  await standIn(exit);
  const run = await probe({ tooSlowMs: 0, giveUpMs: 60_000 });
  expect(run).toMatchObject({ isUsable: false, finding: expect.stringContaining("far too long") });
  expect(await runs()).toBe(2);
});

test.each([
  ["crawls", "exec sleep 60", 3000, "not done after"],
  ["fails", "echo no such accelerator >&2; exit 1", 60_000, "no such accelerator"],
])("one that %s is tried once", async (_, script, giveUpMs, finding) => {
  await standIn(script);
  const run = await probe({ tooSlowMs: 1000, giveUpMs });
  expect(run).toMatchObject({ isUsable: false, finding: expect.stringContaining(finding) });
  expect(await runs()).toBe(1);
});
