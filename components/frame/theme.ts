"use client";

import { useSyncExternalStore } from "react";
import { type Theme, themeStorageKey, themes } from "./themeScript";

const listeners = new Set<() => void>();

function read(): Theme {
  const stored = localStorage.getItem(themeStorageKey);
  return themes.find((theme) => theme === stored) ?? "system";
}

export function setTheme(theme: Theme): void {
  localStorage.setItem(themeStorageKey, theme);
  apply();
}

function apply(): void {
  const theme = read();
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener();
}

/** Other tabs of the browser follow: `storage` is told to all but the one that wrote. */
function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener("storage", apply);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener("storage", apply);
  };
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, read, () => "system");
}
