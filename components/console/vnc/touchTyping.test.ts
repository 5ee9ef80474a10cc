import { expect, test } from "vitest";
import { keysOf, typedChange } from "./touchTyping";

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

test.each([
  ["a", [0x61]],
  ["A", [0xffe1, 0x41]],
  ["$", [0xffe1, 0x24]],
  ["-", [0x2d]],
  ["é", [0xe9]],
  ["€", [0x10020ac]],
  ["\n", [0xff0d]],
])("%j is written by the keysyms %j", (character, keysyms) => {
  expect(keysOf(character).map(({ keysym }) => keysym)).toEqual(keysyms);
});
