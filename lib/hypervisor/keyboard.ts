import { setTimeout as delay } from "node:timers/promises";
import { CumulusError } from "../domain/errors";

/** One press of a key of a US keyboard, by QEMU's name of it (QKeyCode in qapi/ui.json). */
export interface Keystroke {
  qcode: string;
  isShifted: boolean;
}

const unshifted: Record<string, string> = {
  "\n": "ret",
  "\t": "tab",
  " ": "spc",
  "`": "grave_accent",
  "-": "minus",
  "=": "equal",
  "[": "bracket_left",
  "]": "bracket_right",
  "\\": "backslash",
  ";": "semicolon",
  "'": "apostrophe",
  ",": "comma",
  ".": "dot",
  "/": "slash",
};
const shiftedPairs = "~`!1@2#3$4%5^6&7*8(9)0_-+={[}]|\\:;\"'<,>.?/";

const keys = new Map<string, Keystroke>();
for (const [character, qcode] of Object.entries(unshifted)) keys.set(character, { qcode, isShifted: false });
for (const character of "abcdefghijklmnopqrstuvwxyz0123456789") {
  keys.set(character, { qcode: character, isShifted: false });
  keys.set(character.toUpperCase(), { qcode: character, isShifted: /[a-z]/.test(character) });
}
for (let at = 0; at < shiftedPairs.length; at += 2) {
  const base = keys.get(shiftedPairs[at + 1] ?? "");
  if (base) keys.set(shiftedPairs[at] ?? "", { qcode: base.qcode, isShifted: true });
}

/** The keystrokes that write a text; a line's end of any kind is Enter. Throws `bad_request` at a character without a key. Pure. */
export function keystrokesOf(text: string): Keystroke[] {
  return [...text.replaceAll(/\r\n?/g, "\n")].map((character) => {
    const key = keys.get(character);
    if (key) return key;
    const codePoint = character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
    const shown = /\p{C}/u.test(character) ? `U+${codePoint}` : `"${character}" (U+${codePoint})`;
    throw new CumulusError("bad_request", `A US keyboard has no key for ${shown}. Leave it out, or paste over SSH.`);
  });
}

/** Arguments of QMP's input-send-event for a press and release: in one command, so that no key can stay pressed. Pure. */
export function inputEvents({ qcode, isShifted }: Keystroke): object {
  const key = (name: string, down: boolean) => ({ type: "key", data: { down, key: { type: "qcode", data: name } } });
  const stroke = [key(qcode, true), key(qcode, false)];
  return { events: isShifted ? [key("shift", true), ...stroke, key("shift", false)] : stroke };
}

/** As fast as a guest's keyboard controller takes keys without losing one: its queue holds 16 bytes. With Shift a key is twice as many. */
const keyIntervalMs = 18;

export async function typeKeystrokes(
  keystrokes: Keystroke[],
  send: (events: object) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  for (const keystroke of keystrokes) {
    if (signal.aborted) return;
    await send(inputEvents(keystroke));
    await delay(keystroke.isShifted ? 2 * keyIntervalMs : keyIntervalMs);
  }
}
