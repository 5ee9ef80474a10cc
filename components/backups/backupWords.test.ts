import { expect, test } from "vitest";
import { momentOf } from "./backupWords";

test("a backup is named by when it was taken, and before by when it is due", () => {
  const dueAt = "2026-11-23T02:00:00.000Z";
  expect(momentOf({ dueAt, takenAt: "2026-11-27T10:00:00.000Z" })).toBe("2026-11-27T10:00:00.000Z");
  expect(momentOf({ dueAt, takenAt: null })).toBe(dueAt);
});
