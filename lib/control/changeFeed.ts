import pg from "pg";
import { type Change, changeChannel, changeSchema } from "../domain/event";

type Listener = (change: Change) => void;

/** Changes as the database announces them, to any number of listeners of one process over one connection. */
export interface ChangeFeed {
  /** @param onReconnect called when the connection was lost and is there again: what happened meanwhile is unknown */
  subscribe(listener: Listener, onReconnect?: () => void): () => void;
}

/** How long after a loss it is tried again to connect. */
const reconnectMs = 500;

/**
 * Listens from the first subscription on, and connects again whenever the connection is lost.
 * @param onLost told once for each loss
 */
export function createChangeFeed(config: pg.ClientConfig, onLost: (error: unknown) => void): ChangeFeed {
  const listeners = new Set<Listener>();
  const reconnectListeners = new Set<() => void>();
  let state: "idle" | "connected" | "lost" = "idle";
  let isStarted = false;

  function lose(error: unknown): void {
    if (state !== "lost") onLost(error);
    state = "lost";
  }

  async function listen(): Promise<void> {
    const client = new pg.Client(config);
    client.on("notification", ({ payload }) => {
      const change = changeSchema.parse(JSON.parse(payload ?? ""));
      for (const listener of listeners) listener(change);
    });
    const lost = new Promise<unknown>((resolve) => {
      client.on("error", resolve);
      client.on("end", () => resolve(new Error("The database closed the connection.")));
    });
    try {
      await client.connect();
      await client.query(`listen ${changeChannel}`);
      if (state === "lost") for (const listener of reconnectListeners) listener();
      state = "connected";
      lose(await lost);
    } catch (error) {
      lose(error);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async function listenForever(): Promise<never> {
    for (;;) {
      await listen();
      await new Promise((resolve) => setTimeout(resolve, reconnectMs));
    }
  }

  return {
    subscribe(listener, onReconnect) {
      listeners.add(listener);
      if (onReconnect) reconnectListeners.add(onReconnect);
      if (!isStarted) void listenForever();
      isStarted = true;
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
