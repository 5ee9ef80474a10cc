import fc from "fast-check";
import { expect, test } from "vitest";
import { firstUntypable, maxPieceCharacters, piecesOf } from "./typing";

test("a text is typed line by line", () => {
  expect(piecesOf("cd /\r\nls\n\nexit")).toEqual([
    { text: "cd /\n", line: 1 },
    { text: "ls\n", line: 2 },
    { text: "\n", line: 3 },
    { text: "exit", line: 4 },
  ]);
  expect(piecesOf("")).toEqual([]);
});

test("a long line is typed in several pieces", () => {
  const pieces = piecesOf(`${"x".repeat(450)}\ny`);
  expect(pieces.map(({ text, line }) => [text.length, line])).toEqual([
    [200, 1],
    [200, 1],
    [51, 1],
    [1, 2],
  ]);
});

test("nothing is lost, added or longer than a piece may be", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("a", "\n", "\t", "é", "😀", "x".repeat(150))), (parts) => {
      const text = parts.join("");
      const pieces = piecesOf(text);
      expect(pieces.map((piece) => piece.text).join("")).toBe(text);
      expect(pieces.every((piece) => [...piece.text].length <= maxPieceCharacters)).toBe(true);
    }),
  );
});

test("a character without a key is found before anything is typed", () => {
  expect(firstUntypable("echo hi\n\techo ~!@#$%^&*()\n")).toBeUndefined();
  expect(firstUntypable("echo hi\necho “hi”\n")).toEqual({ character: "“", line: 2 });
  expect(firstUntypable("a😀")).toEqual({ character: "😀", line: 1 });
  expect(firstUntypable("a\u0007")).toEqual({ character: "\u0007", line: 1 });
});
