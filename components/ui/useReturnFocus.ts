"use client";

import { useState } from "react";

/**
 * Where the keyboard goes when a dialog closes: to what opened it, a menu's item to the menu's button, since the item is gone by then. For a dialog without a
 * trigger of its own, which Radix would leave with the focus nowhere.
 * @returns `onCloseAutoFocus` for the dialog's content
 */
export function useReturnFocus(): (event: Event) => void {
  const [opener] = useState(openerOf);
  return (event) => {
    event.preventDefault();
    // What was asked for may have taken the opener away, as a deleted row takes its button.
    const target = opener?.isConnected ? opener : document.getElementById("content");
    target?.focus();
  };
}

function openerOf(): HTMLElement | null {
  const { activeElement } = document;
  const menuButton = activeElement?.closest("[role=menu]")?.getAttribute("aria-labelledby");
  const opener = menuButton ? document.getElementById(menuButton) : activeElement;
  return opener instanceof HTMLElement && opener !== document.body ? opener : null;
}
