import { type Key, shift } from "./keyCombos";

/** What was done to a text between two looks at it: characters taken away at its end, then characters added. */
export interface TypedChange {
  erasedCount: number;
  added: string;
}

/**
 * What a touch keyboard did to its text field. Such keyboards fire no key events worth the name: they complete and correct words, so
 * the text before and after is all there is. Pure.
 */
export function typedChange(before: string, after: string): TypedChange {
  const from = [...before];
  const to = [...after];
  let same = 0;
  while (same < from.length && same < to.length && from[same] === to[same]) same += 1;
  return { erasedCount: from.length - same, added: to.slice(same).join("") };
}

export const backspace: readonly Key[] = [{ keysym: 0xff08, code: "Backspace" }];
const named: Record<string, number> = { "\n": 0xff0d, "\t": 0xff09 };
const shifted = /[A-Z~!@#$%^&*()_+{}|:"<>?]/;

/**
 * The keys that write a character: its X11 keysym (keysymdef.h: Latin-1 as it is, the rest of Unicode with a prefix), with Shift where a US keyboard
 * needs it, since QEMU takes a keysym for the key that it is on. Pure.
 */
export function keysOf(character: string): readonly Key[] {
  const codePoint = character.codePointAt(0) ?? 0;
  const keysym = named[character] ?? (codePoint <= 0xff ? codePoint : 0x0100_0000 + codePoint);
  const key: Key = { keysym, code: null };
  return shifted.test(character) ? [shift, key] : [key];
}
