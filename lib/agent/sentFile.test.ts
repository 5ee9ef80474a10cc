import { expect, test } from "vitest";
import { rangeOf } from "./sentFile";

test.each([
  ["bytes=0-", { start: 0, end: 99 }],
  ["bytes=10-19", { start: 10, end: 19 }],
  ["bytes=90-500", { start: 90, end: 99 }],
  ["bytes=-5", { start: 95, end: 99 }],
  ["bytes=-500", { start: 0, end: 99 }],
])("%s of 100 bytes is a part", (header, range) => {
  expect(rangeOf(header, 100)).toEqual(range);
});

test.each(["bytes=100-", "bytes=-0", "bytes=500-600"])("%s of 100 bytes can't be had", (header) => {
  expect(rangeOf(header, 100)).toBe("unsatisfiable");
});

test.each([undefined, "bytes=-", "bytes=5-4", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b"])(
  "%s asks for no one part: the whole is sent",
  (header) => {
    expect(rangeOf(header, 100)).toBeNull();
  },
);
