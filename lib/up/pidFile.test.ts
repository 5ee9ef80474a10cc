import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTimeOf } from "../system/platform";
import { endProcess } from "./endProcess";
import { claimPidFile, readPidFile, writePidFile } from "./pidFile";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulus-pid-"));
  path = join(folder, "part.pid");
});
afterEach(() => rm(folder, { recursive: true }));

/** Writes the pid file of a process, changed as an earlier process with that pid would have left it. */
async function leave(change: Record<string, string>) {
  await writePidFile(path, process.pid);
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), ...change }));
}

test("a pid file names a process that runs", async () => {
  await writePidFile(path, process.pid);
  expect((await readPidFile(path))?.pid).toBe(process.pid);
});

test("a process that merely got the pid later is not the one", async () => {
  await leave({ startTime: "1" });
  expect(await readPidFile(path)).toBeUndefined();
});

test("a process of another boot is not the one", async () => {
  await leave({ bootId: "another" });
  expect(await readPidFile(path)).toBeUndefined();
});

test("a file that a crash cut short names nobody and can be claimed", async () => {
  await writeFile(path, '{"pid":1');
  expect(await readPidFile(path)).toBeUndefined();
  expect(await claimPidFile(path)).toBeUndefined();
});

test("of many that claim a dead process' file at once, one wins and the others learn who", async () => {
  await leave({ startTime: "1" });
  const holders = await Promise.all(Array.from({ length: 8 }, () => claimPidFile(path)));
  expect(holders.filter((holder) => holder === undefined)).toHaveLength(1);
  expect(holders.filter((holder) => holder?.pid === process.pid)).toHaveLength(7);
  expect(await readdir(folder)).toEqual(["part.pid"]);
});

test("a lock that a crashed process left holds nobody up for good", async () => {
  await mkdir(`${path}.lock`);
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(`${path}.lock`, longAgo, longAgo);
  expect(await claimPidFile(path)).toBeUndefined();
});

test("a process that ignores the request to end is ended by force, and one with another start time is left alone", async () => {
  const deaf = spawn(process.execPath, [
    "-e",
    'process.on("SIGTERM", () => {}); setInterval(() => {}, 1e6); console.log()',
  ]);
  try {
    await once(deaf.stdout, "data");
    const pid = deaf.pid ?? 0;
    await endProcess({ pid, startTime: "1" }, 100);
    expect(deaf.signalCode).toBeNull();
    const exit = once(deaf, "exit");
    await endProcess({ pid, startTime: (await startTimeOf(pid)) ?? "" }, 5_000);
    expect(await exit).toEqual([null, "SIGKILL"]);
  } finally {
    deaf.kill("SIGKILL");
  }
});
