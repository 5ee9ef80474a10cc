import type pg from "pg";

/** A name for each text, the same on every connection. */
const names = new Map<string, string>();

/**
 * Makes a connection keep the statements that it has run. Without a name PostgreSQL parses and plans a query anew each time: half of the time that
 * a typical one takes (measured). drizzle gives none.
 */
export function keepStatements(client: pg.ClientBase): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  const named = (config: unknown, ...rest: unknown[]) => query(hasText(config) ? withName(config) : config, ...rest);
  client.query = named as typeof client.query;
}

function hasText(config: unknown): config is { text: string } {
  return typeof config === "object" && config !== null && "text" in config && typeof config.text === "string";
}

function withName(config: { text: string }): pg.QueryConfig {
  const name = names.get(config.text) ?? `cumulus-${names.size}`;
  names.set(config.text, name);
  return { ...config, name };
}
