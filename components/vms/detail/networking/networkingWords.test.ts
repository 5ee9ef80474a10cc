import { expect, test } from "vitest";
import { bytesPerSecondOf, limitInWords, megabitsOf } from "./networkingWords";

test("a limit is told in megabits, and read back as the same", () => {
  expect(limitInWords({ ingressBytesPerSecond: null, egressBytesPerSecond: null })).toBeNull();
  expect(limitInWords({ ingressBytesPerSecond: 125_000, egressBytesPerSecond: null })).toBe(
    "in 1 Mbit/s, out unlimited",
  );
  for (const rate of [null, 12_500, 125_000, 125_000_000]) expect(bytesPerSecondOf(megabitsOf(rate))).toBe(rate);
});

test("what is no rate, or slower than the slowest, is none", () => {
  for (const text of ["fast", "-1", "0", "0.001", "1e999"]) expect(bytesPerSecondOf(text)).toBeUndefined();
  expect(bytesPerSecondOf(" 2,5 ")).toBe(312_500);
});
