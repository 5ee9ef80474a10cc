import { describe, expect, test } from "vitest";
import { type StatusInput, staleAfterMs, vmActionStatuses, vmActions, vmStatus, vmStatuses, whyNot } from "./vmStatus";

const base: StatusInput = {
  desired: "running",
  observed: "running",
  observedAtMs: 0,
  nowMs: 0,
  lastError: null,
  isSettled: true,
  hasRun: true,
};

describe("the status that people see", () => {
  test.each<[Partial<StatusInput>, string]>([
    [{}, "running"],
    [{ observed: "paused" }, "paused"],
    [{ observed: "crashed" }, "failed"],
    [{ observed: "crashed", isSettled: false }, "starting"],
    [{ observed: "crashed", isSettled: false, lastError: "no room" }, "failed"],
    [{ desired: "stopped", observed: "crashed", isSettled: false }, "stopping"],
    [{ observed: "unresponsive" }, "unreachable"],
    [{ observed: "stopped" }, "starting"],
    [{ observed: "absent", hasRun: false }, "creating"],
    [{ observed: "absent", hasRun: false, lastError: "disk full" }, "failed"],
    [{ desired: "stopped" }, "stopping"],
    [{ desired: "stopped", observed: "stopped" }, "stopped"],
    [{ desired: "stopped", observed: "absent" }, "stopped"],
    [{ desired: "deleted" }, "deleting"],
    [{ desired: "deleted", observed: "absent" }, "deleting"],
  ])("%j is %s", (input, status) => {
    expect(vmStatus({ ...base, ...input })).toBe(status);
  });

  test("what was seen too long ago is not claimed any more", () => {
    expect(vmStatus({ ...base, nowMs: staleAfterMs })).toBe("running");
    expect(vmStatus({ ...base, nowMs: staleAfterMs + 1 })).toBe("unreachable");
  });
});

describe("acts", () => {
  test("a refusal names the states in which the act is allowed", () => {
    expect(whyNot("resume", "running")).toBe("A VM that is running can't be asked to resume: it must be paused.");
    expect(whyNot("reset", "stopped")).toContain("running or paused");
    expect(whyNot("pause", "running")).toBeUndefined();
  });

  test("in every state a VM can be destroyed, and something else done or waited for", () => {
    for (const status of vmStatuses) {
      expect(vmActionStatuses.destroy).toContain(status);
      expect(vmActions.some((action) => whyNot(action, status) === undefined)).toBe(true);
    }
  });
});
