"use client";

import { Keyboard } from "lucide-react";
import { type ChangeEvent, type KeyboardEvent, useRef, useState } from "react";
import { IconButton } from "../../ui/IconButton";
import { type Key, type KeySender, sendCombo } from "./keyCombos";
import { backspace, keysOf, typedChange } from "./touchTyping";

/** Kept in the field, so that Backspace has something to erase. */
const filler = " ".repeat(32);

/** Opens the on-screen keyboard of a touch device and hands what is typed on it to the guest. */
export function TouchKeyboard({ vmName, getSender }: { vmName: string; getSender: () => KeySender | null }) {
  const area = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(filler);

  const press = (keys: readonly Key[]) => {
    const sender = getSender();
    if (sender) sendCombo(sender, { keys });
  };
  const onChange = (event: ChangeEvent<HTMLTextAreaElement>) => {
    const { erasedCount, added } = typedChange(text, event.target.value);
    for (let count = 0; count < erasedCount; count += 1) press(backspace);
    for (const character of added) press(keysOf(character));
    setText(event.target.value);
  };
  // Only what is added or erased at the end can be told to the guest.
  const goToEnd = () => area.current?.setSelectionRange(text.length, text.length);
  const onKeyDown = (event: KeyboardEvent) => {
    // An empty field tells of no Backspace; nor does a long one help.
    if (text.length < filler.length / 2 || text.length > 500 || event.key === "Enter") setText(filler);
    if (event.key === "Enter") {
      event.preventDefault();
      press(keysOf("\n"));
    }
  };

  return (
    <span className="hidden pointer-coarse:contents">
      <IconButton label="On-screen keyboard" icon={<Keyboard aria-hidden />} onClick={() => area.current?.focus()} />
      <textarea
        ref={area}
        aria-label={`Type into ${vmName}`}
        tabIndex={-1}
        value={text}
        onChange={onChange}
        onKeyDown={onKeyDown}
        onFocus={goToEnd}
        autoCapitalize="off"
        autoComplete="off"
        autoCorrect="off"
        spellCheck={false}
        className="fixed bottom-0 left-0 size-px opacity-0"
      />
    </span>
  );
}
