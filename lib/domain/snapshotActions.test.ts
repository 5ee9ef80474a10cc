import { expect, test } from "vitest";
import { snapshotActionStatuses, snapshotActions, whyNoSnapshotAct } from "./snapshotActions";
import { vmStatuses } from "./vmStatus";

test("each act is refused in exactly the statuses that its row leaves out, and the refusal names the others", () => {
  for (const action of snapshotActions) {
    const allowed = snapshotActionStatuses[action];
    const taken = vmStatuses.filter((status) => whyNoSnapshotAct(action, status) === undefined);
    expect(taken.toSorted()).toEqual(allowed.toSorted());
    const refused = vmStatuses.find((status) => !allowed.includes(status)) ?? "deleting";
    for (const status of allowed) expect(whyNoSnapshotAct(action, refused)).toContain(status);
  }
});

test("memory is there only of a VM that runs or stands still", () => {
  expect(whyNoSnapshotAct("memory-snapshot", "stopped")).toBe(
    "A VM that is stopped can't have a snapshot taken with its memory: it must be running or paused.",
  );
});

test("a VM that failed can be restored", () => {
  expect(whyNoSnapshotAct("restore", "failed")).toBeUndefined();
});
