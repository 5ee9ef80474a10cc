import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lineSchema, textSchema } from "./humanText";

const name = lineSchema(100);
const note = textSchema(2000);
const messageOf = (schema: typeof name | typeof note, text: string) => schema.safeParse(text).error?.issues[0]?.message;

describe("a name", () => {
  test.each(["before the upgrade", "№ 1 – “déjà vu”", "שלום", "名前", "👩‍💻 🏳️‍🌈 👍🏽", "می‌خواهم", "क्‍ष", "e\u0301"])(
    "may be %s, in any script",
    (text) => {
      expect(name.parse(` ${text} `)).toBe(text);
    },
  );

  test.each([
    ["a zero-width space", "\u200b", "U+200B"],
    ["one among letters", "we\u200bb", "U+200B"],
    ["a right-to-left override", "a\u202egpj.exe", "U+202E"],
    ["an isolate", "a\u2066b\u2069", "U+2066"],
    ["a soft hyphen", "we\u00adb", "U+00AD"],
    ["a byte order mark", "we\ufeffb", "U+FEFF"],
    ["a line break", "a\nb", "U+000A"],
    ["an escape", "a\u001b[31m", "U+001B"],
    ["a line separator", "a\u2028b", "U+2028"],
    ["a paragraph separator", "a\u2029b", "U+2029"],
    ["a joiner that joins nothing", "a \u200db", "U+200D"],
    ["a joiner at the end", "a\u200c", "U+200C"],
    ["half a surrogate pair", "a\ud800", "U+D800"],
  ])("holds no such thing as %s, and the answer says which", (_what, text, codePoint) => {
    expect(messageOf(name, text)).toContain(codePoint);
  });

  test.each(["", "  ", "\u3164", "\u2800", "\u115f", "\ufe0f", "\u0301"])(
    "shows something: %j is as if none was given",
    (text) => {
      expect(messageOf(name, text)).toBe("Give a name.");
    },
  );

  test("of whatever text is taken, is one line and stays as it is when it is given again", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const { data } = name.safeParse(text);
        if (data === undefined) return;
        expect(data.split(/[\n\r\u2028\u2029]/)).toHaveLength(1);
        expect(name.parse(data)).toBe(data);
      }),
    );
  });

  test("is no longer than it may be", () => {
    expect(messageOf(name, "a".repeat(101))).toBe("At most 100 characters.");
  });
});

describe("a note", () => {
  test("has lines and tabs, or nothing at all", () => {
    expect(note.parse("")).toBe("");
    expect(note.parse("kernel:\t6.1\r\nbefore\n\nthe upgrade 👩‍💻")).toBe("kernel:\t6.1\nbefore\n\nthe upgrade 👩‍💻");
  });

  test.each(["\u202e", "a\u200b", "\u001b[2J", "a\rb", "\ufeff"])("holds nothing unseen: not %j", (text) => {
    expect(messageOf(note, text)).toMatch(/^Leave out the character U\+/);
  });
});
