import pg from "pg";

/** The server's error behind what the query builder threw, if there is one. */
export function postgresErrorOf(error: unknown): { code: string; constraint: string | undefined } | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (cause instanceof pg.DatabaseError) return { code: cause.code ?? "", constraint: cause.constraint };
  }
  return undefined;
}

/** The name of the constraint that a write violated by being a second one (SQLSTATE 23505). */
export function violatedUnique(error: unknown): string | undefined {
  const found = postgresErrorOf(error);
  return found?.code === "23505" ? (found.constraint ?? "") : undefined;
}

const lostConnectionCodes = new Set(["ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE", "ETIMEDOUT"]);

/** What the driver says without a code when a connection is no more, or is not to be had. */
const lostConnectionWords =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|timeout expired)/;

/**
 * Whether an error says that the database is away rather than that the query is wrong: no connection, or the server shuts down, crashes or
 * starts (PostgreSQL, Appendix A: class 57P and 08).
 */
export function isDatabaseAway(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    const code = "code" in cause ? String(cause.code) : "";
    if (/^(57P0[1-5]|08)/.test(code) || code === "53300") return true;
    if (lostConnectionCodes.has(code) && "syscall" in cause) return true;
    if (lostConnectionWords.test(cause.message)) return true;
    if (cause instanceof AggregateError && cause.errors.some((inner) => isDatabaseAway(inner))) return true;
  }
  return false;
}
