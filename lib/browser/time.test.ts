import { expect, test } from "vitest";
import { formatAgo, formatDuration, formatExact } from "./time";

test.each([
  [-5000, "just now"],
  [2999, "just now"],
  [3000, "3 s ago"],
  [59_999, "59 s ago"],
  [60_000, "1 min ago"],
  [3_599_999, "59 min ago"],
  [3_600_000, "1 h ago"],
  [86_400_000, "1 day ago"],
  [3 * 86_400_000, "3 days ago"],
])("an age of %d ms reads %s", (ageMs, text) => {
  expect(formatAgo(ageMs)).toBe(text);
});

test.each([
  [-1, "0 ms"],
  [85.4, "85 ms"],
  [999, "999 ms"],
  [1000, "1 s"],
  [1299, "1.2 s"],
  [9999, "9.9 s"],
  [42_700, "42 s"],
  [60_000, "1 min"],
  [185_000, "3 min 5 s"],
  [7_800_000, "2 h 10 min"],
  [90_000_000, "1 d 1 h"],
])("a duration of %d ms reads %s", (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text);
});

test("an exact time is told by the clock of the time zone that is named", () => {
  expect(formatExact("2026-11-29T02:00:00Z", "Europe/Berlin")).toBe("29 Nov 2026, 03:00:00");
});
