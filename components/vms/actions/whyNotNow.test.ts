import { describe, expect, test } from "vitest";
import { vmActions, vmStatuses, whyNot } from "../../../lib/domain/vmStatus";
import { whyNotNow } from "./whyNotNow";

describe("a disabled button", () => {
  test("is off with the API's own reason wherever the API would refuse", () => {
    for (const action of vmActions) {
      for (const status of vmStatuses) {
        const reason = whyNot(action, status);
        if (reason) expect(whyNotNow(action, status)).toBe(reason);
      }
    }
  });

  test("is off where it would change nothing", () => {
    expect(whyNotNow("start", "running")).toBe("It is running already.");
    expect(whyNotNow("stop", "stopped")).toBe("It is stopped already.");
    expect(whyNotNow("destroy", "deleting")).toBe("It is deleting already.");
  });

  test("leaves a way out of every status but deleting", () => {
    for (const status of vmStatuses.filter((each) => each !== "deleting")) {
      expect(vmActions.some((action) => whyNotNow(action, status) === undefined)).toBe(true);
    }
    expect(whyNotNow("start", "failed")).toBeUndefined();
    expect(whyNotNow("stop", "unreachable")).toBeUndefined();
  });
});
