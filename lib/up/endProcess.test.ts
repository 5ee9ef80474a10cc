import { expect, test, vi } from "vitest";
import { isAlive } from "../system/platform";
import { endProcess } from "./endProcess";

vi.mock("../system/platform");

test("a process that is gone when its deadline has passed was ended, and only one that is still there is said not to end", async () => {
  const kill = vi.spyOn(process, "kill").mockReturnValue(true);
  const identity = { pid: 1234, startTime: "1" };
  vi.mocked(isAlive)
    .mockResolvedValue(true)
    .mockResolvedValueOnce(true)
    .mockResolvedValueOnce(true)
    .mockResolvedValueOnce(false);
  await endProcess(identity, 0);
  expect(kill.mock.calls).toEqual([
    [1234, "SIGTERM"],
    [1234, "SIGKILL"],
  ]);
  await expect(endProcess(identity, 0)).rejects.toThrow("The process 1234 does not end, even by force.");
  kill.mockRestore();
});
