import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cappedFile, createLog, logFileOf } from "./log";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cumulus-log-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const linesOf = (path: string) => readFileSync(path, "utf8").split("\n").filter(Boolean);

test("a log is JSON lines in a file that only its user reads", () => {
  const settings = { dataDir: folder, runDir: folder };
  createLog("part", settings).info({ vmId: 7, token: "abc" }, "created");
  const path = logFileOf("part", settings);
  expect(linesOf(path).map((line) => JSON.parse(line))).toMatchObject([
    { name: "part", vmId: 7, token: "[Redacted]", msg: "created" },
  ]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a log stays below its cap and keeps the lines before the last turn", () => {
  const path = join(folder, "part.log");
  const log = cappedFile(path, 1000);
  for (let number = 0; number < 200; number += 1) {
    log.write(`line ${number}\n`);
    expect(statSync(path).size).toBeLessThanOrEqual(1000);
  }
  const kept = [...linesOf(`${path}.1`), ...linesOf(path)];
  expect(kept.at(-1)).toBe("line 199");
  const first = Number(kept[0]?.slice(5));
  expect(kept).toEqual(Array.from({ length: 200 - first }, (_, offset) => `line ${first + offset}`));
  expect(kept.length).toBeGreaterThan(100);
});

test("another process that appends to the file keeps writing to the right one after a turn", () => {
  const path = join(folder, "part.log");
  const log = cappedFile(path, 100);
  const stderr = openSync(path, "a");
  try {
    log.write(`${"x".repeat(90)}\n`);
    log.write("after the turn\n");
    writeSync(stderr, "last words\n");
    expect(linesOf(path)).toEqual(["after the turn", "last words"]);
  } finally {
    closeSync(stderr);
  }
});

test("what others appended counts for the cap", () => {
  const path = join(folder, "part.log");
  const log = cappedFile(path, 100);
  const stderr = openSync(path, "a");
  try {
    writeSync(stderr, `${"x".repeat(500)}\n`);
    log.write("short\n");
    expect(statSync(path).size).toBeLessThanOrEqual(100);
  } finally {
    closeSync(stderr);
  }
});
