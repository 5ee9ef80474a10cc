import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RingLog } from "./ringLog";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulus-"));
  path = join(folder, "serial.log");
});
afterEach(() => rm(folder, { recursive: true }));

function fail(error: unknown): never {
  throw error;
}

test("keeps the newest bytes and never grows past its cap", async () => {
  const log = new RingLog(path, 1000, fail);
  let written = "";
  for (let index = 0; index < 500; index += 1) {
    const line = `line ${index}\n`;
    written += line;
    log.write(Buffer.from(line));
    if (index % 7 === 0) await log.drained();
    if (index % 7 === 0) expect((await stat(path)).size).toBeLessThanOrEqual(1000);
  }
  await log.drained();
  const kept = await readFile(path, "utf8");
  expect(kept.length).toBeGreaterThanOrEqual(500);
  expect(written.endsWith(kept)).toBe(true);
});

test("a single write beyond the cap keeps its end", async () => {
  const log = new RingLog(path, 1000, fail);
  log.write(Buffer.from(`${"x".repeat(5000)}end`));
  await log.drained();
  expect((await readFile(path, "utf8")).endsWith("xend")).toBe(true);
  expect((await stat(path)).size).toBeLessThanOrEqual(1000);
});

test("goes on where an earlier one ended", async () => {
  const first = new RingLog(path, 1000, fail);
  first.write(Buffer.from("a"));
  await first.drained();
  const second = new RingLog(path, 1000, fail);
  second.write(Buffer.from("b"));
  await second.drained();
  expect(await readFile(path, "utf8")).toBe("ab");
});

test("who reads and then listens misses nothing and sees nothing twice", async () => {
  const log = new RingLog(path, 1_000_000, fail);
  let seen = "";
  let isListening = false;
  let written = "";
  const say = (text: string) => {
    written += text;
    log.write(Buffer.from(text));
    if (isListening) seen += text;
  };
  const reading = (async () => {
    await log.drained();
    await log.read((soFar) => {
      seen = soFar.toString();
      isListening = true;
    });
  })();
  for (let index = 0; index < 200; index += 1) {
    say(`${index} `);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await reading;
  expect(seen).toBe(written);
});

test("a log that can't be written is told and holds up nobody", async () => {
  const errors: unknown[] = [];
  const log = new RingLog(join(folder, "missing", "serial.log"), 1000, (error) => errors.push(error));
  log.write(Buffer.from("a"));
  await log.drained();
  expect(errors).toHaveLength(1);
  expect(log.backlogBytes).toBe(0);
});
