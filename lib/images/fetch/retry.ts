import { setTimeout as delay } from "node:timers/promises";
import { CumulusError } from "../../domain/errors";
import type { TaskReport } from "../../domain/task";

/** Attempts in a row that bring nothing, before it gives up. */
const maxFailures = 6;
const firstPauseMs = 500;
const longestPauseMs = 30_000;

export interface RetryContext {
  report: TaskReport;
  signal: AbortSignal;
  /** Scales the pauses between attempts; tests make them short. */
  pauseFactor?: number | undefined;
}

/**
 * Tries until it works, with longer and longer pauses. Only `unavailable` is worth another attempt.
 * @param hasProgressed asked after a failure: whether this attempt brought something, so that the failures before it don't count any more
 * @throws what the last attempt threw
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  { report, signal, pauseFactor = 1 }: RetryContext,
  hasProgressed: () => boolean = () => false,
): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CumulusError) || error.code !== "unavailable") throw error;
      failures = hasProgressed() ? 1 : failures + 1;
      if (failures > maxFailures) throw error;
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (failures - 1)) * pauseFactor;
      report.log(`${error.message} Tries again in ${Math.ceil(pauseMs / 1000)} s.`);
      await delay(pauseMs, undefined, { signal });
    }
  }
}
