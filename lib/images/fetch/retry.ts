import { setTimeout as delay } from "node:timers/promises";
import { CumulusError } from "../../domain/errors";
import type { TaskReport } from "../../domain/task";

/** Attempts in a row that bring nothing, before it gives up: half a minute where nobody answers. */
const maxFailures = 6;
/** The same, where what came before would be lost: a router that is restarted, or a mirror, is away for minutes. Twenty of them where nobody answers. */
const maxFailuresOnceBegun = 44;
const firstPauseMs = 500;
const longestPauseMs = 30_000;

export interface RetryContext {
  report: TaskReport;
  signal: AbortSignal;
  /** Scales the pauses between attempts; tests make them short. */
  pauseFactor?: number | undefined;
}

/** What becomes of the attempts, asked after a failure. */
export interface Attempts {
  /** Whether this one brought something, so that the failures before it don't count any more. */
  hasProgressed(): boolean;
  /** Whether something would be lost by giving up. */
  hasBegun(): boolean;
}

const allOrNothing: Attempts = { hasProgressed: () => false, hasBegun: () => false };

/**
 * Tries until it works, with longer and longer pauses. Only `unavailable` is worth another attempt.
 * @throws what the last attempt threw
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  { report, signal, pauseFactor = 1 }: RetryContext,
  attempts: Attempts = allOrNothing,
): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CumulusError) || error.code !== "unavailable") throw error;
      failures = attempts.hasProgressed() ? 1 : failures + 1;
      if (failures > (attempts.hasBegun() ? maxFailuresOnceBegun : maxFailures)) throw error;
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (failures - 1)) * pauseFactor;
      report.log(`${error.message} Tries again in ${Math.ceil(pauseMs / 1000)} s.`);
      await delay(pauseMs, undefined, { signal });
    }
  }
}
