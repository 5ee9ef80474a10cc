import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { followLog } from "./followLog";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cumulus-follow-"));
  path = join(folder, "part.log");
  writeFileSync(path, "before\n");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("whole lines are told in order, from now on, also after the file was cut back", async () => {
  const lines: string[] = [];
  const stop = await followLog(path, (line) => lines.push(line));
  try {
    appendFileSync(path, "one\ntw");
    await expect.poll(() => lines).toEqual(["one"]);
    appendFileSync(path, "o\n");
    await expect.poll(() => lines).toEqual(["one", "two"]);
    truncateSync(path);
    appendFileSync(path, "3\n");
    await expect.poll(() => lines).toEqual(["one", "two", "3"]);
  } finally {
    stop();
  }
});
