import { expect, test } from "vitest";
import { bytesPerSecondOf, interfaceState, isSettling, limitInWords, megabitsOf } from "./networkingWords";

test("a limit is told in megabits, and read back as the same", () => {
  expect(limitInWords({ ingressBytesPerSecond: null, egressBytesPerSecond: null })).toBeNull();
  expect(limitInWords({ ingressBytesPerSecond: 125_000, egressBytesPerSecond: null })).toBe(
    "in 1 Mbit/s, out unlimited",
  );
  for (const rate of [null, 12_500, 125_000, 125_000_000]) expect(bytesPerSecondOf(megabitsOf(rate))).toBe(rate);
});

test("an interface is green once its address was seen, and amber as long as it is plugged in and wasn't", () => {
  const seen = { receivedBytes: 0, receivedPackets: 0, sentBytes: 0, sentPackets: 0, leaseEndsAt: null };
  const stateOf = (isUp: boolean, isAddressSeen: boolean | null, isLeaving = false) =>
    interfaceState({ isLeaving, whyNotPlugged: null, status: { ...seen, isUp, isAddressSeen } });
  expect(stateOf(true, true)).toEqual({ word: "address seen", tone: "ok" });
  expect(stateOf(true, null)).toEqual({ word: "address not seen yet", tone: "warn" });
  expect(stateOf(true, false)).toEqual({ word: "address doesn't answer", tone: "warn" });
  expect(stateOf(false, true)).toEqual({ word: "down", tone: "neutral" });
  expect(stateOf(true, true, true).word).toBe("being unplugged");
  const none = { isLeaving: false, status: null };
  expect(interfaceState({ ...none, whyNotPlugged: null })).toEqual({ word: "", tone: "neutral" });
  expect(interfaceState({ ...none, whyNotPlugged: "It is one." }).word).toBe("not plugged in here");
});

test("an interface settles until its address is seen, or it is gone; one that the host can't see does not", () => {
  const seen = { receivedBytes: 0, receivedPackets: 0, sentBytes: 0, sentPackets: 0, leaseEndsAt: null };
  const settles = (isUp: boolean, isAddressSeen: boolean | null, isLeaving = false) =>
    isSettling({ isLeaving, whyNotPlugged: null, status: { ...seen, isUp, isAddressSeen } });
  expect([settles(false, null), settles(true, null), settles(true, true, true)]).toEqual([true, true, true]);
  expect(settles(true, true)).toBe(false);
  expect(isSettling({ isLeaving: false, whyNotPlugged: null, status: null })).toBe(false);
});

test("what is no rate, or slower than the slowest, is none", () => {
  for (const text of ["fast", "-1", "0", "0.001", "1e999"]) expect(bytesPerSecondOf(text)).toBeUndefined();
  expect(bytesPerSecondOf(" 2,5 ")).toBe(312_500);
});
