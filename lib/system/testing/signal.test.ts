import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import { signal } from "./signal";

test.each([undefined, null, 0, -1])("the pid %s, which is no process', is sent nothing", (pid) => {
  const kill = vi.spyOn(process, "kill").mockReturnValue(true);
  onTestFinished(() => kill.mockRestore());
  expect(() => signal(pid, "SIGKILL")).toThrow("There is no process to send SIGKILL to.");
  expect(kill).not.toHaveBeenCalled();
});

test("a process is sent its signal", async () => {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const exit = once(child, "exit");
  signal(child.pid, "SIGTERM");
  expect(await exit).toEqual([null, "SIGTERM"]);
});
