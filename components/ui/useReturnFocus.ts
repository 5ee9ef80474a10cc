"use client";

import { useLayoutEffect, useRef, useState } from "react";

/**
 * Where the keyboard goes when a dialog closes: to what opened it, a menu's item to the menu's button, since the item is gone by then. For a dialog without a
 * trigger of its own, which Radix would leave with the focus nowhere.
 * @returns `onCloseAutoFocus` for the dialog's content
 */
export function useReturnFocus(): (event: Event) => void {
  const [opener] = useState(openerOf);
  const lateOpener = useRef<HTMLElement | null>(null);
  useLayoutEffect(() => {
    if (opener) return;
    // A menu that has just gone gives the focus to its button a moment later, when the dialog is there already.
    const note = ({ target }: FocusEvent) => {
      const isOutside = target instanceof HTMLElement && !target.closest("[role=dialog], [role=alertdialog]");
      if (isOutside) lateOpener.current = target;
    };
    document.addEventListener("focusin", note);
    return () => document.removeEventListener("focusin", note);
  }, [opener]);
  return (event) => {
    event.preventDefault();
    const known = opener ?? lateOpener.current;
    // What was asked for may have taken the opener away, as a deleted row takes its button.
    const target = known?.isConnected ? known : document.getElementById("content");
    target?.focus();
  };
}

function openerOf(): HTMLElement | null {
  const { activeElement } = document;
  const menuButton = activeElement?.closest("[role=menu]")?.getAttribute("aria-labelledby");
  const opener = menuButton ? document.getElementById(menuButton) : activeElement;
  return opener instanceof HTMLElement && opener !== document.body ? opener : null;
}
