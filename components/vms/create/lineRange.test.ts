import { expect, test } from "vitest";
import { lineRange } from "./lineRange";

test("a line's range is its text", () => {
  const text = "#cloud-config\npackages: [\n\nlast";
  const lineAt = (line: number) => text.slice(lineRange(text, line).start, lineRange(text, line).end);
  expect([1, 2, 3, 4].map(lineAt)).toEqual(["#cloud-config", "packages: [", "", "last"]);
  expect(lineRange(text, 99)).toEqual({ start: text.length, end: text.length });
});
