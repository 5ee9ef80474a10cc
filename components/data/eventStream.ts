import type { Change } from "../../lib/domain/event";
import type { Connection } from "./connection";

export interface EventStreamHandlers {
  onChange: (change: Change) => void;
  onState: (state: Connection) => void;
  /** The stream is open (again): what was missed is not told, so everything shown must be read anew. */
  onOpen: () => void;
  /** The server refuses the stream; asks whether it is worth going on (not when the session has ended). */
  probe: () => Promise<boolean>;
}

/** A tab that nobody sees lets go of its connection after this long: a browser has only six to one server. */
const hiddenLimitMs = 60_000;
const firstRetryMs = 1000;
const lastRetryMs = 15_000;

/**
 * The tab's one event stream (`GET /api/events`). The browser reconnects by itself when the connection is cut; when the
 * server refuses it (a restart behind a proxy, an ended session) we ask first and try again, ever more slowly.
 * @returns ends it
 */
export function openEventStream(handlers: EventStreamHandlers): () => void {
  let source: EventSource | undefined;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let hiddenTimer: ReturnType<typeof setTimeout> | undefined;
  let retryMs = firstRetryMs;

  const close = () => {
    clearTimeout(retryTimer);
    source?.close();
    source = undefined;
  };

  const open = () => {
    close();
    const opened = new EventSource("/api/events");
    source = opened;
    opened.onopen = () => {
      retryMs = firstRetryMs;
      handlers.onState("live");
      handlers.onOpen();
    };
    opened.onerror = () => {
      handlers.onState("reconnecting");
      if (opened.readyState === EventSource.CLOSED) scheduleRetry();
    };
    opened.addEventListener("change", (event) => handlers.onChange(JSON.parse(event.data) as Change));
  };

  const scheduleRetry = () => {
    close();
    retryTimer = setTimeout(async () => {
      if (await handlers.probe()) open();
      else scheduleRetry();
    }, retryMs);
    retryMs = Math.min(retryMs * 2, lastRetryMs);
  };

  const onVisibility = () => {
    clearTimeout(hiddenTimer);
    if (document.visibilityState === "hidden") hiddenTimer = setTimeout(close, hiddenLimitMs);
    else if (source === undefined) open();
  };

  document.addEventListener("visibilitychange", onVisibility);
  open();
  return () => {
    document.removeEventListener("visibilitychange", onVisibility);
    clearTimeout(hiddenTimer);
    close();
  };
}
