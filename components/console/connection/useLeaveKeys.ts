"use client";

import { type KeyboardEvent, useRef } from "react";

/** Press these together to take the keyboard back from a guest. */
export const leaveKeys = "Ctrl-Alt-Shift";

const families = ["Control", "Alt", "Shift"] as const;

/**
 * The way out of an element that keeps all keys, Tab included. Told from the physical keys: with Shift held, Alt is "Meta" on some systems.
 * Spread the handlers on an element around it.
 */
export function useLeaveKeys(onLeave: () => void) {
  const held = useRef(new Set<string>());
  return {
    onKeyDownCapture(event: KeyboardEvent) {
      held.current.add(event.code);
      const isHeld = (family: string) => held.current.has(`${family}Left`) || held.current.has(`${family}Right`);
      if (!families.every(isHeld)) return;
      event.preventDefault();
      event.stopPropagation();
      held.current.clear();
      onLeave();
    },
    onKeyUpCapture(event: KeyboardEvent) {
      held.current.delete(event.code);
    },
    onBlurCapture() {
      held.current.clear();
    },
  };
}
