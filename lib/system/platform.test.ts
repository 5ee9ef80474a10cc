import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { commandLineOf, hostBootId, isAlive, startTimeOf } from "./platform";

test("a process is told from a later one with its number by its start time", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", "a ) b"]);
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  const startTime = await startTimeOf(pid);
  expect(startTime).not.toBeNull();
  expect(await isAlive({ pid, startTime: startTime ?? "" })).toBe(true);
  expect(await isAlive({ pid, startTime: "1" })).toBe(false);
  expect(await commandLineOf(pid)).toContain("a ) b");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await startTimeOf(pid)).toBeNull();
});

test("the host's boot has a name that stays", async () => {
  expect(await hostBootId()).toMatch(/\S{8,}/);
  expect(await hostBootId()).toBe(await hostBootId());
});
