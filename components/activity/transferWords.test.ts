import { expect, test } from "vitest";
import { transferWords } from "./transferWords";

const MiB = 1024 ** 2;

test("a transfer says how much is done, how fast, and how long the rest takes", () => {
  expect(transferWords({ doneBytes: 120 * MiB, totalBytes: 600 * MiB, bytesPerSecond: 12 * MiB })).toBe(
    "120 MiB of 600 MiB, 12 MiB/s, 40 s left",
  );
});

test("what nobody knows is left out", () => {
  expect(transferWords({ doneBytes: MiB, totalBytes: null, bytesPerSecond: null })).toBe("1 MiB");
  expect(transferWords({ doneBytes: MiB, totalBytes: null, bytesPerSecond: MiB })).toBe("1 MiB, 1 MiB/s");
  expect(transferWords({ doneBytes: 0, totalBytes: MiB, bytesPerSecond: 0 })).toBe("0 B of 1 MiB");
  expect(transferWords({ doneBytes: MiB, totalBytes: MiB, bytesPerSecond: MiB })).toBe("1 MiB of 1 MiB, 1 MiB/s");
});
