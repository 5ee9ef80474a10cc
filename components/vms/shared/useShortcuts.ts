"use client";

import { useEffect, useRef } from "react";

/**
 * Single keys that do something on the page, while nobody types, no dialog or menu is open, and no modifier but Shift is held.
 * Letters are written "c" and "Shift+s", whatever Caps Lock does; other keys as `KeyboardEvent.key` names them: "/", "?".
 */
export function useShortcuts(shortcuts: Record<string, () => void>): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      if (isTaken(event.target) || document.querySelector('[role="dialog"], [role="alertdialog"], [role="menu"]'))
        return;
      const act = latest.current[nameOf(event)];
      if (!act) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
}

function nameOf(event: KeyboardEvent): string {
  if (!/^[a-z]$/i.test(event.key)) return event.key;
  return (event.shiftKey ? "Shift+" : "") + event.key.toLowerCase();
}

/** Whether keys belong to what has the focus: a text, a list to choose from, or a guest's console. */
function isTaken(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target.closest("input:not([type=checkbox]), textarea, select, [data-captures-keys]") !== null
  );
}

/** The keys of a shortcut as they are printed on a keyboard: ["Shift", "S"]. */
export function keysOfShortcut(shortcut: string): string[] {
  return shortcut.split("+").map((key) => (key.length === 1 ? key.toUpperCase() : key));
}
