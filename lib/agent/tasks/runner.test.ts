import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { CumulusError } from "../../domain/errors";
import { readSettings } from "../../env";
import { testHypervisor } from "../testAgent";
import { type AnyTaskKind, type TaskCall, taskKind } from "./kind";
import { TaskRunner } from "./runner";

/** While it is set, nothing more fits on the disk. */
const disk = vi.hoisted(() => ({ isFull: false }));
vi.mock("../../system/files", async (importOriginal) => {
  const real = await importOriginal<typeof import("../../system/files")>();
  const writeFileAtomic: typeof real.writeFileAtomic = async (...args) => {
    if (disk.isFull) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    await real.writeFileAtomic(...args);
  };
  return { ...real, writeFileAtomic };
});
afterEach(() => {
  disk.isFull = false;
});

const silent = { debug() {}, info() {}, warn() {}, error() {} };

function testFolder(): string {
  const dataDir = mkdtempSync(join(tmpdir(), "tasks-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

function runnerOn(dataDir: string, run: (params: { word: string }, call: TaskCall) => Promise<unknown>): TaskRunner {
  const kinds: Record<string, AnyTaskKind> = { echo: taskKind({ params: z.object({ word: z.string() }), run }) };
  const settings = readSettings({ NODE_ENV: "test", CUMULUS_DATA_DIR: dataDir, CUMULUS_RUN_DIR: join(dataDir, "run") });
  const runner = new TaskRunner({ settings, hypervisor: testHypervisor(), log: silent, kinds });
  onTestFinished(() => runner.close());
  return runner;
}

/** Never done unless its signal says so. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

async function ended(runner: TaskRunner, id: number) {
  let state = await runner.get(id);
  while (state.status === "running") state = await runner.get(id, state.version, 5_000);
  return state;
}

test("a task is done once, however often it is asked for", async () => {
  let runs = 0;
  const runner = runnerOn(testFolder(), async ({ word }) => {
    runs += 1;
    return { word };
  });
  await Promise.all([1, 2, 3].map(() => runner.put(7, "echo", { word: "hello" })));
  expect(await ended(runner, 7)).toMatchObject({ status: "done", percent: 100, result: { word: "hello" } });
  await runner.put(7, "echo", { word: "hello" });
  expect(runs).toBe(1);
});

test("what ran when the agent ended is run again, and what was done is not", async () => {
  const dataDir = testFolder();
  const first = runnerOn(dataDir, async ({ word }, { signal }) => (word === "quick" ? word : untilAborted(signal)));
  await first.put(1, "echo", { word: "quick" });
  await ended(first, 1);
  await first.put(2, "echo", { word: "slow" });
  await first.close();

  const words: string[] = [];
  const second = runnerOn(dataDir, async ({ word }) => words.push(word));
  await second.recover();
  expect(await ended(second, 2)).toMatchObject({ status: "done" });
  expect(await second.get(1)).toMatchObject({ status: "done", result: "quick" });
  expect(words).toEqual(["slow"]);
});

test("progress is told to whoever waits for it, and the log can be read in parts", async () => {
  let goOn = () => {};
  const runner = runnerOn(testFolder(), async (_, { report }) => {
    report.log("first");
    report.progress(40, "halfway", { doneBytes: 4, totalBytes: 10, bytesPerSecond: null });
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
    report.log("second\n");
  });
  const begun = await runner.put(1, "echo", { word: "" });
  const seen = await runner.get(1, begun.version - 1, 5_000);
  expect(seen).toMatchObject({ percent: 40, message: "halfway", transfer: { doneBytes: 4 } });
  goOn();
  await ended(runner, 1);
  const log = await runner.readLog(1, 0);
  expect(log.text).toBe("first\nsecond\n");
  expect(await runner.readLog(1, log.nextOffset)).toEqual({ text: "", nextOffset: log.nextOffset });
});

test("a task that is cancelled ends, and stays so over a restart", async () => {
  const dataDir = testFolder();
  const runner = runnerOn(dataDir, (_, { signal }) => untilAborted(signal));
  await runner.put(1, "echo", { word: "" });
  runner.cancel(1);
  expect(await ended(runner, 1)).toMatchObject({ status: "cancelled", error: null });

  const second = runnerOn(dataDir, async () => expect.unreachable("it was cancelled"));
  await second.recover();
  expect(await second.get(1)).toMatchObject({ status: "cancelled" });
});

test("a task whose end could not be written down is not run again unasked", async () => {
  const dataDir = testFolder();
  const first = runnerOn(dataDir, async () => {
    disk.isFull = true;
    throw new CumulusError("insufficient_capacity", "It was undone.");
  });
  await first.put(1, "echo", { word: "" });
  expect(await ended(first, 1)).toMatchObject({ status: "failed", error: { message: "It was undone." } });
  await first.close();

  // As after a crash: the disk is as full as before.
  const runs: string[] = [];
  const second = runnerOn(dataDir, async ({ word }) => runs.push(word));
  await second.recover();
  expect(() => second.get(1)).toThrow("This host knows no task 1.");
  disk.isFull = false;
  await second.put(1, "echo", { word: "asked for" });
  await ended(second, 1);
  expect(runs).toEqual(["asked for"]);
});

test("a task's error is told as the user should read it", async () => {
  const runner = runnerOn(testFolder(), async () => {
    throw new CumulusError("bad_request", "The file is no image.");
  });
  await runner.put(1, "echo", { word: "" });
  expect(await ended(runner, 1)).toMatchObject({
    status: "failed",
    error: { code: "bad_request", message: "The file is no image." },
  });
});

test("kinds that are not known and parameters that don't fit are refused, and nothing is kept", async () => {
  const runner = runnerOn(testFolder(), async () => null);
  await expect(runner.put(1, "constructor", {})).rejects.toMatchObject({ code: "bad_request" });
  await expect(runner.put(1, "echo", { word: 5 })).rejects.toMatchObject({ code: "bad_request" });
  expect(() => runner.cancel(1)).toThrow("This host knows no task 1.");
});
