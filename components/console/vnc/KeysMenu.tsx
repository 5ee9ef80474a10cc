"use client";

import { Keyboard } from "lucide-react";
import { Button } from "../../ui/Button";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "../../ui/Menu";
import { functionKeyCombos, type KeyCombo, keyCombos, textConsoleCombos } from "./keyCombos";

interface KeysMenuProps {
  onSend: (combo: KeyCombo) => void;
  /** Why none can be sent now. */
  disabledReason?: string | undefined;
}

/** Keys that a browser doesn't pass on. */
export function KeysMenu({ onSend, disabledReason }: KeysMenuProps) {
  const button = (
    <Button variant="ghost" size="sm" icon={<Keyboard aria-hidden />} disabledReason={disabledReason}>
      Keys
    </Button>
  );
  if (disabledReason !== undefined) return button;
  const items = (combos: readonly KeyCombo[]) =>
    combos.map((combo) => (
      <MenuItem key={combo.label} onSelect={() => onSend(combo)}>
        <span className="whitespace-nowrap">{combo.label}</span>
      </MenuItem>
    ));
  return (
    <Menu trigger={button}>
      <div className="max-h-[70dvh] overflow-y-auto">
        <div className="grid grid-cols-2">{items(keyCombos)}</div>
        <MenuSeparator />
        <MenuLabel>Function keys</MenuLabel>
        <div className="grid grid-cols-4">{items(functionKeyCombos)}</div>
        <MenuSeparator />
        <MenuLabel>Linux text consoles</MenuLabel>
        <div className="grid grid-cols-2">{items(textConsoleCombos)}</div>
      </div>
    </Menu>
  );
}
