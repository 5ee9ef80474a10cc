import { expect, test } from "vitest";
import { functionKeyCombos, keyCombos, releaseModifiers, sendCombo, textConsoleCombos } from "./keyCombos";

function record() {
  const sent: string[] = [];
  const sendKey = (keysym: number, code: string | null, down?: boolean) => {
    sent.push(`${down ? "+" : "-"}${code}:${keysym.toString(16)}`);
  };
  return { sent, sendKey };
}

test("keys are pressed in order and released in reverse", () => {
  const sender = record();
  const combo = keyCombos.find(({ label }) => label === "Ctrl-Alt-Del");
  if (!combo) throw new Error("Ctrl-Alt-Del is missing");
  sendCombo(sender, combo);
  expect(sender.sent).toEqual([
    "+ControlLeft:ffe3",
    "+AltLeft:ffe9",
    "+Delete:ffff",
    "-Delete:ffff",
    "-AltLeft:ffe9",
    "-ControlLeft:ffe3",
  ]);
});

test("no combination leaves a key pressed", () => {
  for (const combo of [...keyCombos, ...functionKeyCombos, ...textConsoleCombos]) {
    const { sent, sendKey } = record();
    sendCombo({ sendKey }, combo);
    const pressed = sent.filter((key) => key.startsWith("+")).map((key) => key.slice(1));
    const released = sent.filter((key) => key.startsWith("-")).map((key) => key.slice(1));
    expect(released.toSorted()).toEqual(pressed.toSorted());
  }
});

test("F1 to F12 have X11's keysyms", () => {
  expect(functionKeyCombos.map(({ keys }) => keys[0]?.keysym)).toEqual(
    Array.from({ length: 12 }, (_, index) => 0xffbe + index),
  );
});

test("releasing modifiers presses nothing", () => {
  const { sent, sendKey } = record();
  releaseModifiers({ sendKey });
  expect(sent).toHaveLength(8);
  expect(sent.every((key) => key.startsWith("-"))).toBe(true);
});
