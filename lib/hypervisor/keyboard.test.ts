import { expect, test } from "vitest";
import { inputEvents, keystrokesOf, typeKeystrokes } from "./keyboard";

test("every printable ASCII character has its key on a US keyboard", () => {
  const ascii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join("");
  const strokes = keystrokesOf(ascii);
  expect(strokes).toHaveLength(95);
  expect(new Set(strokes.map(({ qcode, isShifted }) => `${qcode} ${isShifted}`)).size).toBe(95);
  expect(keystrokesOf('aA1!-_\\|"\t')).toEqual([
    { qcode: "a", isShifted: false },
    { qcode: "a", isShifted: true },
    { qcode: "1", isShifted: false },
    { qcode: "1", isShifted: true },
    { qcode: "minus", isShifted: false },
    { qcode: "minus", isShifted: true },
    { qcode: "backslash", isShifted: false },
    { qcode: "backslash", isShifted: true },
    { qcode: "apostrophe", isShifted: true },
    { qcode: "tab", isShifted: false },
  ]);
});

test("each kind of line end is one Enter", () => {
  expect(keystrokesOf("a\nb\r\nc\rd").map(({ qcode }) => qcode)).toEqual(["a", "ret", "b", "ret", "c", "ret", "d"]);
});

test("a character without a key is named, before anything is typed", () => {
  expect(() => keystrokesOf("naïve")).toThrow('"ï" (U+00EF)');
  expect(() => keystrokesOf("a\u0007")).toThrow("U+0007");
});

test("a command presses and releases all of its keys", () => {
  const { events } = inputEvents({ qcode: "a", isShifted: true }) as {
    events: { data: { down: boolean; key: { data: string } } }[];
  };
  const pressed = new Set<string>();
  for (const { data } of events) data.down ? pressed.add(data.key.data) : pressed.delete(data.key.data);
  expect(pressed.size).toBe(0);
  expect(events.map(({ data }) => `${data.key.data} ${data.down}`)).toEqual([
    "shift true",
    "a true",
    "a false",
    "shift false",
  ]);
});

test("typing ends at the key at which it is aborted", async () => {
  const abort = new AbortController();
  const sent: object[] = [];
  await typeKeystrokes(
    keystrokesOf("abcdef"),
    async (events) => {
      sent.push(events);
      if (sent.length === 3) abort.abort();
    },
    abort.signal,
  );
  expect(sent).toHaveLength(3);
});

test("a key with Shift is twice the bytes, and the guest has twice the time for them", async () => {
  const tookMs = async (text: string) => {
    const startedAtMs = performance.now();
    await typeKeystrokes(keystrokesOf(text), async () => {}, new AbortController().signal);
    return performance.now() - startedAtMs;
  };
  // Timers may be a millisecond early; late is what they are on a busy computer.
  expect(await tookMs("aaaaaaaaaa")).toBeGreaterThan(10 * 17);
  expect(await tookMs("AAAAAAAAAA")).toBeGreaterThan(10 * 35);
});
