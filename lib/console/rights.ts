import { messageOf } from "../domain/errors";
import type { ConsoleLimits } from "./limits";

interface RightsWatch {
  /** Whether the right still stands; rejects when that can't be found out now. */
  check(): Promise<boolean>;
  /** Calls the listener when a right may have ended. Returns the way to stop listening. */
  onChange(listener: () => void): () => void;
  /** Called once, with a sentence for the user, when the right has ended or could not be confirmed for too long. */
  onEnded(reason: string): void;
  log: { warn(details: object, message: string): void };
  limits: Pick<ConsoleLimits, "rightsIntervalMs" | "maxUncertainChecks">;
}

/**
 * Watches that an open console's right goes on: by a timer, and at once when a change is announced. A database that is away for a while
 * ends no console. Returns the way to stop watching.
 */
export function watchRights({ check, onChange, onEnded, log, limits }: RightsWatch): () => void {
  let isChecking = false;
  let isCheckDue = false;
  let isStopped = false;
  let uncertainChecks = 0;

  async function recheck(): Promise<void> {
    isCheckDue = true;
    if (isChecking) return;
    isChecking = true;
    while (isCheckDue && !isStopped) {
      isCheckDue = false;
      const reason = await whyEnded();
      if (reason !== undefined && !isStopped) {
        stop();
        onEnded(reason);
      }
    }
    isChecking = false;
  }

  async function whyEnded(): Promise<string | undefined> {
    try {
      if (!(await check())) return "Your access to this console has ended.";
      uncertainChecks = 0;
      return undefined;
    } catch (error) {
      uncertainChecks += 1;
      log.warn({ uncertainChecks, error: messageOf(error) }, "can't confirm the right to an open console");
      return uncertainChecks < limits.maxUncertainChecks
        ? undefined
        : "Your access could not be confirmed for too long.";
    }
  }

  const timer = setInterval(() => void recheck(), limits.rightsIntervalMs);
  const unsubscribe = onChange(() => void recheck());
  function stop(): void {
    isStopped = true;
    clearInterval(timer);
    unsubscribe();
  }
  return stop;
}
