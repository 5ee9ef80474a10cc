"use client";

import { useEffect, useSyncExternalStore } from "react";

/** Keys that the system would take: a full-screen page may have them (Keyboard Lock API, Chromium only). */
interface KeyboardLock {
  lock?(): Promise<void>;
}

function subscribe(listener: () => void): () => void {
  document.addEventListener("fullscreenchange", listener);
  return () => document.removeEventListener("fullscreenchange", listener);
}

interface FullScreen {
  isSupported: boolean;
  isOn: boolean;
  toggle(): Promise<void>;
}

/**
 * Full screen for a part of the page. The whole page becomes full screen and the part covers it: menus and dialogs stand outside of the part
 * and would be invisible otherwise.
 */
export function useFullScreen(): FullScreen {
  const isOn = useSyncExternalStore(
    subscribe,
    () => document.fullscreenElement !== null,
    () => false,
  );
  const isSupported = useSyncExternalStore(
    subscribe,
    () => document.fullscreenEnabled,
    () => true,
  );

  useEffect(
    () => () => {
      if (document.fullscreenElement) void document.exitFullscreen();
    },
    [],
  );

  const toggle = async () => {
    if (document.fullscreenElement) return document.exitFullscreen();
    await document.documentElement.requestFullscreen();
    await (navigator as Navigator & { keyboard?: KeyboardLock }).keyboard?.lock?.();
  };
  return { isSupported, isOn, toggle };
}
