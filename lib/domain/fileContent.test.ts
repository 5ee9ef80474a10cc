import { describe, expect, test } from "vitest";
import { binaryWords, contentBytes, maxFileBytes } from "./fileContent";
import { recipeSchema } from "./recipe";
import { guestFileSchema } from "./vm";

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

/** What is wrong with a file, as a new VM and as a recipe take it: the same. */
function problemOf(content: string, encoding?: string): string | undefined {
  const file = { path: "/srv/x", content, encoding };
  const steps = [{ type: "file", ...file }];
  const issues = [guestFileSchema.safeParse(file), recipeSchema.safeParse({ name: "r", title: "R", steps })].map(
    ({ error }) => error?.issues[0],
  );
  expect(issues[1]?.message).toBe(issues[0]?.message);
  if (issues[0]) expect(issues.map((issue) => issue?.path.join("."))).toEqual(["content", "steps.0.content"]);
  return issues[0]?.message;
}

describe("a file's content", () => {
  test("is text, or any bytes as base64", () => {
    expect(problemOf("Grüße\n")).toBeUndefined();
    expect(problemOf("not base64!", "utf8")).toBeUndefined();
    for (const length of [0, 1, 2, 3, 256]) {
      expect(problemOf(everyByte.subarray(0, length).toString("base64"), "base64")).toBeUndefined();
    }
  });

  test.each([
    ["characters that are none of base64's", "YWJj!A=="],
    ["a line end", "YWJj\nYWJj"],
    ["a last line end", "YWJj\n"],
    ["no padding", "YQ"],
    ["too much padding", "YWJj===="],
    ["padding in the middle", "YQ==YQ=="],
    ["bits left over", "YR=="],
    ["the alphabet of addresses", "_-8="],
  ])("is refused at its field when it is not base64: %s", (_what, content) => {
    expect(problemOf(content, "base64")).toMatch(/^This is not base64/);
  });

  test("is of an encoding that there is", () => {
    expect(guestFileSchema.safeParse({ path: "/x", content: "", encoding: "hex" }).error?.issues[0]?.path).toEqual([
      "encoding",
    ]);
  });

  test("has 256 KiB at the most, counted in bytes and not in characters", () => {
    const most = Buffer.alloc(maxFileBytes, 255);
    expect(problemOf(most.toString("base64"), "base64")).toBeUndefined();
    expect(problemOf(Buffer.alloc(maxFileBytes + 1).toString("base64"), "base64")).toBe(
      "A file has 256 KiB at the most.",
    );
    expect(problemOf("a".repeat(maxFileBytes))).toBeUndefined();
    expect(problemOf("ü".repeat(maxFileBytes / 2))).toBeUndefined();
    expect(problemOf("ü".repeat(maxFileBytes / 2 + 1))).toBe("A file has 256 KiB at the most.");
    expect(problemOf("a".repeat(2 * maxFileBytes))).toBe("A file has 256 KiB at the most.");
  });

  test("of base64 is told by the number of its bytes", () => {
    for (let length = 0; length < 10; length++) {
      expect(contentBytes({ content: Buffer.alloc(length).toString("base64"), encoding: "base64" })).toBe(length);
    }
    expect(binaryWords({ content: Buffer.alloc(12_600).toString("base64"), encoding: "base64" })).toBe(
      "binary, 12.3 KiB",
    );
  });
});
