import { expect, test } from "vitest";
import { failedClose } from "./failedClose";

test.each([
  ["nothing", "", null],
  ["a warning", "qemu-img: warning: Backing file specified without backing format\n", null],
  [
    "a cache that could not be written",
    "qemu-img: Failed to flush the L2 block cache: No space left on device\n",
    "qemu-img: Failed to flush the L2 block cache: No space left on device",
  ],
])("%s on stderr of a convert that ended well is told from a failure", (_, stderr, said) => {
  expect(failedClose(stderr)).toBe(said);
});
