/** What one browser, one user and all of them together may cost. Tests make the times short. */
export interface ConsoleLimits {
  /** Largest message from the browser. A terminal paste or a pointer event is far below. */
  maxPayloadBytes: number;
  /** How long a browser may take nothing while bytes wait for it. */
  stallTimeoutMs: number;
  /** A browser that doesn't answer one ping before the next is gone. */
  pingIntervalMs: number;
  /** How often an open console's right is checked, besides when a change is announced. */
  rightsIntervalMs: number;
  /** Checks that may fail to reach an answer (the database is away) before the console is cut. */
  maxUncertainChecks: number;
  /** From the request to the 101. */
  handshakeTimeoutMs: number;
  maxPerUser: number;
  maxOpen: number;
  /** Upgrades that are being decided at one time. */
  maxPending: number;
}

export const defaultConsoleLimits: ConsoleLimits = {
  maxPayloadBytes: 1024 * 1024,
  stallTimeoutMs: 30_000,
  pingIntervalMs: 20_000,
  rightsIntervalMs: 15_000,
  maxUncertainChecks: 8,
  handshakeTimeoutMs: 15_000,
  maxPerUser: 100,
  maxOpen: 500,
  maxPending: 100,
};
