import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type AttemptEvents, keepConnected } from "./keepConnected";

let attempts: { events: AttemptEvents; isEnded: boolean }[];
let states: string[];
const latest = () => {
  const attempt = attempts.at(-1);
  if (!attempt) throw new Error("nothing was tried");
  return attempt;
};

function start() {
  return keepConnected(
    (events) => {
      const attempt = { events, isEnded: false };
      attempts.push(attempt);
      return () => {
        attempt.isEnded = true;
      };
    },
    (state) => states.push(state.kind),
  );
}

beforeEach(() => {
  vi.useFakeTimers();
  attempts = [];
  states = [];
});
afterEach(() => vi.useRealTimers());

test("a lost connection is tried again after 0.3 s, then ever more slowly, at most every 5 s", () => {
  start();
  latest().events.connected();
  vi.advanceTimersByTime(10_000);
  latest().events.lost();
  for (const waitMs of [300, 600, 1_200, 2_400, 4_800, 5_000, 5_000]) {
    const count = attempts.length;
    vi.advanceTimersByTime(waitMs - 1);
    expect(attempts).toHaveLength(count);
    vi.advanceTimersByTime(1);
    expect(attempts).toHaveLength(count + 1);
    latest().events.lost();
  }
});

test("after a connection that lasted, the next wait is short again; after one that broke at once it is not", () => {
  start();
  for (let failure = 0; failure < 4; failure += 1) {
    latest().events.lost();
    vi.advanceTimersByTime(5_000);
  }
  latest().events.connected();
  latest().events.lost();
  vi.advanceTimersByTime(300);
  expect(attempts).toHaveLength(5);
  vi.advanceTimersByTime(5_000);
  latest().events.connected();
  vi.advanceTimersByTime(3_000);
  latest().events.lost();
  vi.advanceTimersByTime(300);
  expect(attempts).toHaveLength(7);
});

test("news that it should work now ends the wait, and disturbs neither a connection nor a try", () => {
  const kept = start();
  kept.retryNow();
  expect(attempts).toHaveLength(1);
  latest().events.connected();
  kept.retryNow();
  expect(attempts).toHaveLength(1);
  latest().events.lost();
  kept.retryNow();
  expect(attempts).toHaveLength(2);
  vi.advanceTimersByTime(10_000);
  expect(attempts).toHaveLength(2);
});

test("a try that hangs is given up", () => {
  start();
  vi.advanceTimersByTime(15_000);
  expect(latest().isEnded).toBe(true);
  vi.advanceTimersByTime(300);
  expect(attempts).toHaveLength(2);
});

test("what is denied is not tried again", () => {
  const kept = start();
  latest().events.denied("Your access to this console has ended.");
  kept.retryNow();
  vi.advanceTimersByTime(60_000);
  expect(attempts).toHaveLength(1);
  expect(latest().isEnded).toBe(true);
  expect(states).toEqual(["connecting", "denied"]);
});

test("once stopped nothing is tried, and a late event of the last try changes nothing", () => {
  const kept = start();
  latest().events.connected();
  kept.stop();
  latest().events.lost();
  latest().events.denied("late");
  vi.advanceTimersByTime(60_000);
  expect(attempts).toHaveLength(1);
  expect(latest().isEnded).toBe(true);
  expect(states).toEqual(["connecting", "connected"]);
});

test("stopped while it waits, it stays stopped", () => {
  const kept = start();
  latest().events.lost();
  kept.stop();
  kept.retryNow();
  vi.advanceTimersByTime(60_000);
  expect(attempts).toHaveLength(1);
});
