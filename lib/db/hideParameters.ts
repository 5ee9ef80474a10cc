import pg from "pg";

type Query = (...args: unknown[]) => unknown;

/**
 * Keeps what queries are given out of the errors that they fail with. Passwords of repositories are among it, and drizzle puts all of it into the message of what it
 * throws, PostgreSQL a part of the row into the details: from there it gets into logs, whoever writes them. What failed is told still, and why.
 */
export function hideParameters(connection: pg.Pool | pg.ClientBase): void {
  const query = connection.query.bind(connection) as Query;
  const hiding: Query = (...args) => {
    const answer = query(...args);
    return answer instanceof Promise ? answer.catch((error: unknown) => fail(error, args[1])) : answer;
  };
  connection.query = hiding as typeof connection.query;
}

/** drizzle's parameters are an array of each run's own, which it looks at again only when that has failed. */
function fail(error: unknown, parameters: unknown): never {
  if (Array.isArray(parameters)) parameters.fill("[hidden]");
  if (error instanceof pg.DatabaseError) {
    delete error.detail;
    delete error.where;
  }
  throw error;
}
