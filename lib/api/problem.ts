import { isDatabaseAway, postgresErrorOf } from "../db/errors";
import { CumulusError, type ErrorCode } from "../domain/errors";

/** An error as RFC 9457 says it, with our `code` and, for bad input, what is wrong with which field. */
export interface Problem {
  type: "about:blank";
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  fields?: Record<string, string>;
  /** For `wrong_state`: the states in which the act is allowed. */
  allowed?: string[];
}

const statuses: Record<ErrorCode, { status: number; title: string }> = {
  bad_request: { status: 400, title: "Bad request" },
  unauthenticated: { status: 401, title: "Not signed in" },
  forbidden: { status: 403, title: "Not allowed" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  conflict: { status: 409, title: "Conflict" },
  wrong_state: { status: 409, title: "Not possible in this state" },
  changed_meanwhile: { status: 412, title: "Changed meanwhile" },
  too_large: { status: 413, title: "Too large" },
  rate_limited: { status: 429, title: "Too many requests" },
  internal: { status: 500, title: "Internal error" },
  unavailable: { status: 503, title: "Not available now" },
  insufficient_capacity: { status: 507, title: "Not enough room" },
};

/** The one place where an error becomes HTTP. What nobody foresaw is a 500 that tells nothing of the inside. */
export function toProblem(error: unknown): Problem {
  const known = error instanceof CumulusError ? error : translate(error);
  const { status, title } = statuses[known.code];
  return {
    type: "about:blank",
    title,
    status,
    detail: known.message,
    code: known.code,
    ...(known.fields && { fields: known.fields }),
    ...(known.allowed && { allowed: known.allowed }),
  };
}

export function problemResponse(error: unknown): Response {
  const problem = toProblem(error);
  const retryAfterSeconds = error instanceof CumulusError ? error.retryAfterSeconds : undefined;
  const headers = new Headers({ "content-type": "application/problem+json", "cache-control": "no-store" });
  if (problem.status === 503 || retryAfterSeconds) headers.set("retry-after", String(retryAfterSeconds ?? 2));
  if (problem.status === 401) headers.set("www-authenticate", 'Bearer realm="Cumulus"');
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

function translate(error: unknown): CumulusError {
  if (isDatabaseAway(error)) {
    return new CumulusError("unavailable", "The database doesn't answer. VMs go on running; try again in a moment.", {
      retryAfterSeconds: 2,
      cause: error,
    });
  }
  // Class 22: a value that PostgreSQL can't hold, such as text with a NUL character.
  if (postgresErrorOf(error)?.code.startsWith("22")) {
    return new CumulusError("bad_request", "The request holds a value that can't be stored.", { cause: error });
  }
  return new CumulusError("internal", "Something went wrong inside Cumulus. Its log says what.", { cause: error });
}
