import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { CumulusError } from "../../domain/errors";
import { readSettings } from "../../env";
import { testHypervisor } from "../testAgent";
import { type AnyTaskKind, type TaskCall, taskKind } from "./kind";
import { TaskRunner } from "./runner";

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
