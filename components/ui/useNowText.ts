"use client";

import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One timer for all clocks on the page, none when there is no clock. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** A text made from the present time. The component renders again only when the text is another. */
export function useNowText(textAt: (nowMs: number) => string): string {
  const snapshot = () => textAt(Date.now());
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}
