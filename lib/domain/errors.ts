/**
 * The one error union of Cumulus. It knows no HTTP: `lib/api/problem.ts` is the only place that turns a code into a status.
 * A code exists only where a client acts on it.
 */
export type ErrorCode =
  | "bad_request"
  | "unauthenticated"
  | "forbidden"
  | "not_found"
  | "method_not_allowed"
  | "conflict"
  | "wrong_state"
  | "changed_meanwhile"
  | "too_large"
  | "insufficient_capacity"
  | "rate_limited"
  | "unavailable"
  | "internal";

/** Messages by the path of the field that they are about ("size.memory"). */
export type FieldErrors = Record<string, string>;

export interface ErrorDetails {
  /** For `bad_request`: what is wrong with which field. */
  fields?: FieldErrors;
  /** For `wrong_state`: the states in which the act is allowed. */
  allowed?: string[];
  /** For `unavailable` and `rate_limited`: when trying again makes sense. */
  retryAfterSeconds?: number;
  /** For the log only; never shown to a user. */
  cause?: unknown;
}

/** An error whose message is written for the user: what happened, why, and what to do. */
export class CumulusError extends Error {
  readonly code: ErrorCode;
  readonly fields: FieldErrors | undefined;
  readonly allowed: string[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "CumulusError";
    this.code = code;
    this.fields = details.fields;
    this.allowed = details.allowed;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** A sentence for the user from anything that was thrown; unknown errors keep their own message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
