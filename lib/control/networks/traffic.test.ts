import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CumulusError } from "../../domain/errors";
import type { VmTraffic } from "../../domain/vmNetworking";
import type { Context } from "../context";
import { watchTraffic } from "./traffic";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** @param answers bytes received, one an asking; null: the host doesn't answer */
function watched(answers: (number | null)[]) {
  let asked = 0;
  const traffic = async () => {
    const receivedBytes = answers[asked++] ?? null;
    if (receivedBytes === null) throw new CumulusError("unavailable", "no agent");
    const link = { id: "net0", receivedBytes, receivedPackets: 1, sentBytes: 0, sentPackets: 0 };
    return { at: new Date().toISOString(), interfaces: [link] };
  };
  const told: VmTraffic[] = [];
  const context = { agent: { traffic }, log: pino({ level: "silent" }) } as unknown as Context;
  const stop = watchTraffic(context, 1, (one) => told.push(one));
  return { stop, asked: () => asked, rates: () => told.map(({ interfaces }) => interfaces[0]?.receivedBytesPerSecond) };
}

test("the host is asked once a second, and no more once nobody listens", async () => {
  const { stop, asked, rates } = watched([100, 600, 1600, 9999]);
  await vi.advanceTimersByTimeAsync(2_500);
  expect(rates()).toEqual([null, 500, 1000]);
  stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked()).toBe(3);
});

test("a host that doesn't answer is asked again, and rates begin anew", async () => {
  const { stop, rates } = watched([100, null, 600, 700]);
  await vi.advanceTimersByTimeAsync(3_500);
  expect(rates()).toEqual([null, null, 100]);
  stop();
});
