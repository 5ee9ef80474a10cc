import { expect, test } from "vitest";
import { keysymOf, typedChange } from "./touchTyping";

test.each([
  ["", "l", 0, "l"],
  ["l", "ls", 0, "s"],
  ["ls", "l", 1, ""],
  ["teh", "the", 2, "he"],
  ["ls", "ls -la\n", 0, " -la\n"],
  ["ls", "ls", 0, ""],
  ["a😀", "a", 1, ""],
])("from %j to %j: %i erased, %j added", (before, after, erasedCount, added) => {
  expect(typedChange(before, after)).toEqual({ erasedCount, added });
});

test("keysyms", () => {
  expect(keysymOf("a")).toBe(0x61);
  expect(keysymOf("é")).toBe(0xe9);
  expect(keysymOf("€")).toBe(0x10020ac);
  expect(keysymOf("\n")).toBe(0xff0d);
});
