/** A key as RFB sends it (RFC 6143, section 7.5.4): an X11 keysym, and the physical key for servers that go by it; null when unknown. */
export interface Key {
  keysym: number;
  code: string | null;
}

/** Keys that are pressed together. */
export interface KeyCombo {
  label: string;
  keys: readonly Key[];
}

const control: Key = { keysym: 0xffe3, code: "ControlLeft" };
const alt: Key = { keysym: 0xffe9, code: "AltLeft" };
export const shift: Key = { keysym: 0xffe1, code: "ShiftLeft" };
const tab: Key = { keysym: 0xff09, code: "Tab" };
const functionKey = (number: number): Key => ({ keysym: 0xffbd + number, code: `F${number}` });

/** Keys that a browser or the user's own system keeps for itself. */
export const keyCombos: readonly KeyCombo[] = [
  { label: "Ctrl-Alt-Del", keys: [control, alt, { keysym: 0xffff, code: "Delete" }] },
  { label: "Esc", keys: [{ keysym: 0xff1b, code: "Escape" }] },
  { label: "Tab", keys: [tab] },
  { label: "Alt-Tab", keys: [alt, tab] },
  { label: "PrtSc", keys: [{ keysym: 0xff61, code: "PrintScreen" }] },
];

export const functionKeyCombos: readonly KeyCombo[] = Array.from({ length: 12 }, (_, index) => ({
  label: `F${index + 1}`,
  keys: [functionKey(index + 1)],
}));

/** Linux' text consoles. */
export const textConsoleCombos: readonly KeyCombo[] = Array.from({ length: 6 }, (_, index) => ({
  label: `Ctrl-Alt-F${index + 1}`,
  keys: [control, alt, functionKey(index + 1)],
}));

export interface KeySender {
  sendKey(keysym: number, code: string | null, down?: boolean): void;
}

/** Presses the keys in order and lets go of them in reverse. */
export function sendCombo(sender: KeySender, { keys }: Pick<KeyCombo, "keys">): void {
  for (const key of keys) sender.sendKey(key.keysym, key.code, true);
  for (const key of keys.toReversed()) sender.sendKey(key.keysym, key.code, false);
}

const modifiers: readonly Key[] = [
  control,
  { keysym: 0xffe4, code: "ControlRight" },
  alt,
  { keysym: 0xffea, code: "AltRight" },
  shift,
  { keysym: 0xffe2, code: "ShiftRight" },
  { keysym: 0xffeb, code: "MetaLeft" },
  { keysym: 0xffec, code: "MetaRight" },
];

/** Lets go of all modifiers: a key that is released elsewhere would stay pressed in the guest. */
export function releaseModifiers(sender: KeySender): void {
  for (const key of modifiers) sender.sendKey(key.keysym, key.code, false);
}
