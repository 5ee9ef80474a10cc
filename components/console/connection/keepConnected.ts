/** What is known of a connection that is kept up: `denied` is final, the others pass. */
export type ConnectionState =
  | { kind: "connecting" }
  | { kind: "connected" }
  | { kind: "reconnecting" }
  | { kind: "denied"; reason: string };

/** What a try tells, never before it has returned: `connected` once at most, then one of the other two. */
export interface AttemptEvents {
  connected(): void;
  lost(): void;
  denied(reason: string): void;
}

/** Begins a try. Returns the way to end it and to clean up after it. */
export type Attempt = (events: AttemptEvents) => () => void;

export interface KeptConnection {
  /** There is reason to believe that it works now: tries at once instead of waiting. */
  retryNow(): void;
  stop(): void;
}

const firstRetryMs = 300;
const lastRetryMs = 5_000;
/** A try that has not connected by then is given up. */
const connectTimeoutMs = 15_000;
/** A connection that ends sooner than this counts as a failure: the wait goes on growing. */
const worthMs = 3_000;

/**
 * Keeps a connection up: tries again when it is lost, first soon and then ever more slowly.
 *
 *     connecting ──▶ connected ──lost──▶ reconnecting ──▶ connected …
 *          └─────────────lost────────────────▲               any ──denied──▶ denied
 */
export function keepConnected(attempt: Attempt, onState: (state: ConnectionState) => void): KeptConnection {
  let end = () => {};
  /** Runs while waiting for the next try. */
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let retryMs = firstRetryMs;

  const begin = (state: "connecting" | "reconnecting") => {
    let connectedAtMs: number | undefined;
    let isOver = false;
    clearTimeout(retryTimer);
    retryTimer = undefined;
    onState({ kind: state });

    const lost = () => {
      if (isOver) return;
      end();
      if (connectedAtMs !== undefined && Date.now() - connectedAtMs >= worthMs) retryMs = firstRetryMs;
      onState({ kind: "reconnecting" });
      retryTimer = setTimeout(() => begin("reconnecting"), retryMs);
      retryMs = Math.min(retryMs * 2, lastRetryMs);
    };
    const deadline = setTimeout(lost, connectTimeoutMs);
    const endAttempt = attempt({
      connected: () => {
        if (isOver) return;
        clearTimeout(deadline);
        connectedAtMs = Date.now();
        onState({ kind: "connected" });
      },
      lost,
      denied: (reason) => {
        if (isOver) return;
        end();
        onState({ kind: "denied", reason });
      },
    });
    end = () => {
      isOver = true;
      clearTimeout(deadline);
      endAttempt();
    };
  };

  begin("connecting");
  return {
    retryNow() {
      if (retryTimer === undefined) return;
      retryMs = firstRetryMs;
      begin("reconnecting");
    },
    stop() {
      clearTimeout(retryTimer);
      retryTimer = undefined;
      end();
    },
  };
}
