import type postgres from "postgres";
import { type Change, changeChannel, changeSchema } from "../domain/event";

type Listener = (change: Change) => void;

/** Changes as the database announces them, to any number of listeners of one process over one connection. */
export interface ChangeFeed {
  /** @param onReconnect called when the connection was lost and is there again: what happened meanwhile is unknown */
  subscribe(listener: Listener, onReconnect?: () => void): () => void;
}

/** Listens from the first subscription on; the driver connects again by itself when the database comes back. */
export function createChangeFeed(sql: postgres.Sql, onError: (error: unknown) => void): ChangeFeed {
  const listeners = new Set<Listener>();
  const reconnectListeners = new Set<() => void>();
  let isListening = false;
  let hasConnected = false;

  async function listen(): Promise<void> {
    isListening = true;
    try {
      await sql.listen(
        changeChannel,
        (payload) => {
          const change = changeSchema.parse(JSON.parse(payload));
          for (const listener of listeners) listener(change);
        },
        () => {
          if (hasConnected) for (const listener of reconnectListeners) listener();
          hasConnected = true;
        },
      );
    } catch (error) {
      isListening = false;
      onError(error);
    }
  }

  return {
    subscribe(listener, onReconnect) {
      listeners.add(listener);
      if (onReconnect) reconnectListeners.add(onReconnect);
      if (!isListening) void listen();
      return () => {
        listeners.delete(listener);
        if (onReconnect) reconnectListeners.delete(onReconnect);
      };
    },
  };
}

/**
 * Waits until a condition holds: checked now, at each change that matters, and every few seconds in case one was missed.
 * @returns whether it held before the deadline or the abort
 */
export async function waitForChange(
  feed: ChangeFeed,
  matters: (change: Change) => boolean,
  holds: () => Promise<boolean>,
  options: { deadlineMs: number; signal: AbortSignal },
): Promise<boolean> {
  const endMs = Date.now() + options.deadlineMs;
  let wake: () => void = () => undefined;
  const unsubscribe = feed.subscribe((change) => matters(change) && wake());
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (await holds()) return true;
      const leftMs = endMs - Date.now();
      if (leftMs <= 0 || options.signal.aborted) return false;
      await Promise.race([woken, delay(Math.min(leftMs, 2_000), options.signal)]);
    }
  } finally {
    unsubscribe();
  }
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done, { once: true });
  });
}
