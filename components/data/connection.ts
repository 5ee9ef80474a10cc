"use client";

import { useSyncExternalStore } from "react";

/** Whether what is shown follows the server: `live` while the event stream is open. */
export type Connection = "connecting" | "live" | "reconnecting";

let current: Connection = "connecting";
const listeners = new Set<() => void>();

export function setConnection(next: Connection): void {
  if (next === current) return;
  current = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    subscribe,
    () => current,
    () => "connecting",
  );
}
