import { describe, expect, test } from "vitest";
import type { Snapshot } from "../../lib/domain/snapshot";
import { exampleSnapshot } from "./exampleSnapshot";
import { clockWords, pauseWords, standstillWords, totalBytes, whyNotRestorable } from "./snapshotWords";

const snapshot = (rest: Partial<Snapshot>) => exampleSnapshot(1, rest);

describe("a snapshot in words", () => {
  test("tells a pause of less than a millisecond from none at all", () => {
    expect(pauseWords(snapshot({ pauseMs: 0.2 }))).toBe("1 ms");
    expect(pauseWords(snapshot({ pauseMs: 0 }))).toBe("not at all");
    expect(pauseWords(snapshot({ pauseMs: null }))).toBeNull();
  });

  test("tells before that a busy guest will stand still until its memory is written, where the host can't do it otherwise", () => {
    const long =
      /fraction of a second; one that changes its memory faster than that is copied, until all of it is written/;
    const short = /^The guest stands still for a fraction of a second\.$/;
    expect(standstillWords(true, { memorySnapshots: "stopped" })).toMatch(long);
    expect(standstillWords(false, { memorySnapshots: "stopped" })).toMatch(short);
    expect(standstillWords(true, { memorySnapshots: "live" })).toMatch(
      /fraction of a second, longer if it has much memory/,
    );
    expect(standstillWords(true, null)).toBeNull();
    expect(standstillWords(false, null)).toMatch(short);
  });

  test("takes disk and memory together, and nothing is claimed before it is there", () => {
    expect(totalBytes(snapshot({ diskBytes: 5, memoryBytes: 7 }))).toBe(12);
    expect(totalBytes(snapshot({ diskBytes: null, memoryBytes: null }))).toBeNull();
  });
});

describe("restoring", () => {
  test("promises the right time only of a guest that has an agent to set it", () => {
    const wordsOf = (hasGuestAgent: boolean | null) => clockWords(snapshot({ hasMemory: true, hasGuestAgent }));
    expect(wordsOf(true)).toBe("Its clock is set right.");
    expect(wordsOf(false)).toMatch(
      /^Its clock stays as it was then, since no agent answered in the guest\. .*qemu-guest-agent/,
    );
    expect(wordsOf(null)).toBe("Its clock is set right if its agent (qemu-guest-agent) answers.");
  });

  test("is refused with the reason: being taken, VM gone, VM in another state", () => {
    expect(whyNotRestorable(snapshot({ status: "creating" }), { status: "running" })).toBe("It is still being taken.");
    expect(whyNotRestorable(snapshot({ vm: { id: 1, name: "web", deleted: true } }), undefined)).toMatch(/new VM/);
    expect(whyNotRestorable(snapshot({}), { status: "starting" })).toMatch(
      /must be running, paused, stopped or failed/,
    );
    expect(whyNotRestorable(snapshot({}), { status: "running" })).toBeUndefined();
  });
});
