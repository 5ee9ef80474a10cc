import { expect, test } from "vitest";
import { type TrafficReading, withRates } from "./vmNetworking";

const reading = (second: number, receivedBytes: number, sentBytes: number): TrafficReading => ({
  at: `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z`,
  interfaces: [{ id: "net0", receivedBytes, receivedPackets: 1, sentBytes, sentPackets: 1 }],
});

const ratesOf = (before: TrafficReading | null, now: TrafficReading) =>
  withRates(before, now).interfaces.map((link) => [link.receivedBytesPerSecond, link.sentBytesPerSecond]);

test("rates are over the time between two readings", () => {
  expect(ratesOf(reading(0, 1000, 50), reading(2, 3000, 50))).toEqual([[1000, 0]]);
});

test("there is no rate without a reading before, in no time, or when the counters began anew", () => {
  expect(ratesOf(null, reading(2, 3000, 50))).toEqual([[null, null]]);
  expect(ratesOf(reading(2, 1, 1), reading(2, 9, 9))).toEqual([[null, null]]);
  expect(ratesOf(reading(0, 5000, 10), reading(1, 40, 20))).toEqual([[null, 10]]);
  expect(ratesOf({ ...reading(0, 0, 0), interfaces: [] }, reading(1, 40, 20))).toEqual([[null, null]]);
});
