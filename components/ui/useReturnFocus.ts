"use client";

import { useLayoutEffect, useRef } from "react";

/**
 * Where the keyboard goes when a dialog closes: to what opened it, a menu's item to the menu's button, since the item is gone by then. For a dialog without a
 * trigger of its own, which Radix would leave with the focus nowhere.
 * @returns `onCloseAutoFocus` for the dialog's content
 */
export function useReturnFocus(): (event: Event) => void {
  const opener = useRef<HTMLElement | null>(null);
  useLayoutEffect(() => {
    opener.current = openerOf();
    if (opener.current) return;
    // A menu that has just gone gives the focus to its button a moment later, when the dialog is there already and takes it back: the button is only told as
    // where the focus would have gone.
    const note = ({ type, target, relatedTarget }: FocusEvent) => {
      const next = type === "focusout" ? relatedTarget : target;
      if (next instanceof HTMLElement && !next.closest("[role=dialog], [role=alertdialog]")) opener.current = next;
    };
    document.addEventListener("focusin", note);
    document.addEventListener("focusout", note);
    return () => {
      document.removeEventListener("focusin", note);
      document.removeEventListener("focusout", note);
    };
  }, []);
  return (event) => {
    event.preventDefault();
    // What was asked for may have taken the opener away, as a deleted row takes its button.
    const target = opener.current?.isConnected ? opener.current : document.getElementById("content");
    target?.focus();
  };
}

function openerOf(): HTMLElement | null {
  const { activeElement } = document;
  const menuButton = activeElement?.closest("[role=menu]")?.getAttribute("aria-labelledby");
  const opener = menuButton ? document.getElementById(menuButton) : activeElement;
  return opener instanceof HTMLElement && opener !== document.body ? opener : null;
}
