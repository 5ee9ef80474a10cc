import { expect, test } from "vitest";
import { bufferText } from "./bufferText";

function bufferOf(...lines: [text: string, isWrapped?: boolean][]) {
  return {
    length: lines.length,
    getLine: (index: number) => {
      const line = lines[index];
      if (!line) return undefined;
      const [text, isWrapped = false] = line;
      return { isWrapped, translateToString: (trimRight = false) => (trimRight ? text.trimEnd() : text) };
    },
  };
}

test("lines that were wrapped are one line again", () => {
  expect(bufferText(bufferOf(["Linux version 6"], [".12 ", true], ["login: "]))).toBe("Linux version 6.12\nlogin:\n");
});

test("blanks at the place of a wrap are kept", () => {
  expect(bufferText(bufferOf(["a   "], ["b   ", true], ["c"]))).toBe("a   b\nc\n");
});

test("empty lines stay in the middle and go at the end", () => {
  expect(bufferText(bufferOf(["a"], [""], ["b"], [""], ["  "]))).toBe("a\n\nb\n");
  expect(bufferText(bufferOf())).toBe("\n");
});
