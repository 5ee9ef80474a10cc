import { z } from "zod";
import { CumulusError, type ErrorCode, messageOf } from "../domain/errors";
import { explainFullDisk } from "../system/fullDisk";
import { parseJson } from "../system/json";

/**
 * Statuses between agent and console, so that a person with curl reads them right; the client goes by the code. What users get is decided by
 * lib/api/problem.ts.
 */
const statuses: Record<ErrorCode, number> = {
  bad_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  wrong_state: 409,
  changed_meanwhile: 412,
  too_large: 413,
  insufficient_capacity: 507,
  rate_limited: 429,
  unavailable: 503,
  internal: 500,
};

const codes = Object.keys(statuses) as [ErrorCode, ...ErrorCode[]];

const wireErrorSchema = z.object({
  code: z.enum(codes),
  message: z.string(),
  fields: z.record(z.string(), z.string()).optional(),
  allowed: z.array(z.string()).optional(),
  retryAfterSeconds: z.number().optional(),
});
export type WireError = z.infer<typeof wireErrorSchema>;

/** What an error is on the wire. One that isn't ours becomes `internal`; its stack stays in the agent's log. */
export function toWire(thrown: unknown): { status: number; body: WireError } {
  const error = explainFullDisk(thrown);
  const known =
    error instanceof CumulusError
      ? error
      : new CumulusError("internal", `The agent failed unexpectedly: ${messageOf(error)}. Its log has the details.`);
  const { code, message, fields, allowed, retryAfterSeconds } = known;
  return { status: statuses[code], body: { code, message, fields, allowed, retryAfterSeconds } };
}

/** The error that an answer of the agent with a status ≥ 400 stands for. */
export function fromWire(status: number, text: string): CumulusError {
  const parsed = wireErrorSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    return new CumulusError(
      "internal",
      `The agent of this host answered with status ${status} and no explanation: is it another version than the console?`,
      { cause: new Error(text.slice(0, 1_000)) },
    );
  }
  const { code, message, ...details } = parsed.data;
  return new CumulusError(code, message, details);
}
