import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readSettings, type Settings } from "../env";
import { logFileOf } from "../log";
import { isAlive } from "../system/platform";
import { signal } from "../system/testing/signal";
import { ChildService, endLeftover } from "./childService";
import { makeFolders } from "./folders";
import { pidFileOf, readPidFile } from "./pidFile";
import { Supervisor } from "./supervisor";

let folder: string;
let settings: Settings;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulus-child-"));
  settings = readSettings({
    NODE_ENV: "test",
    CUMULUS_DATA_DIR: join(folder, "data"),
    CUMULUS_RUN_DIR: join(folder, "run"),
  });
  await makeFolders(settings, undefined);
});
afterEach(async () => {
  await endLeftover("agent", settings);
  await rm(folder, { recursive: true });
});

/** A program that says so in a file when it works, in place of the agent. */
function service(
  code = `require("fs").writeFileSync(process.argv[1], String(process.pid)); setInterval(() => {}, 1e6)`,
) {
  const readyFile = join(folder, "ready");
  return new ChildService({
    part: "agent",
    settings,
    command: [process.execPath, "-e", code, readyFile],
    cwd: folder,
    env: process.env,
    account: undefined,
    isReady: async () => {
      const running = await readPidFile(pidFileOf("agent", settings));
      return running !== undefined && (await readFile(readyFile, "utf8").catch(() => "")) === String(running.pid);
    },
    readyTimeoutMs: 10_000,
  });
}

const running = () => readPidFile(pidFileOf("agent", settings));

test("a killed part is started again", async () => {
  const supervisor = new Supervisor(pino({ level: "silent" }), { firstMs: 10, longestMs: 10, steadyMs: 0 });
  try {
    await supervisor.start(service());
    const first = await running();
    signal(first?.pid, "SIGKILL");
    await vi.waitFor(async () => {
      const now = await running();
      expect(now).toBeDefined();
      expect(now?.pid).not.toBe(first?.pid);
    }, 60_000);
  } finally {
    await supervisor.stop();
  }
  expect(await running()).toBeUndefined();
});

test("a part that an earlier supervisor left is replaced", async () => {
  await service().start();
  const left = await running();
  await service().start();
  expect(left && (await isAlive(left))).toBe(false);
  expect(await running()).toBeDefined();
});

test("a process that merely has the pid of a part that was left is not harmed", async () => {
  const stranger = service();
  await stranger.start();
  const path = pidFileOf("agent", settings);
  const record = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, JSON.stringify({ ...record, startTime: "1" }));
  expect(await endLeftover("agent", settings)).toBe(false);
  await writeFile(path, JSON.stringify(record));
  expect(await running()).toBeDefined();
});

test("a part that ends at its start is said with its own last words", async () => {
  const failing = service(`console.error("The port is taken."); process.exit(3)`);
  await expect(failing.start()).rejects.toThrow(
    `The agent ended at its start (exit code 3): The port is taken (${logFileOf("agent", settings)})`,
  );
});

test("what a part prints is kept in its log, which only its user reads", async () => {
  await service(
    `console.log("hello"); require("fs").writeFileSync(process.argv[1], String(process.pid)); setInterval(() => {}, 1e6)`,
  ).start();
  const path = logFileOf("agent", settings);
  expect(await readFile(path, "utf8")).toBe("hello\n");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});
