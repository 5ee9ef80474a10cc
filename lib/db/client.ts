import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import type { PoolConfig } from "pg";
import postgres from "postgres";
import { pathsOf, type Settings } from "../env";
import * as authSchema from "./authSchema";
import * as schema from "./schema";

export const fullSchema = { ...schema, ...authSchema };
export type Database = PostgresJsDatabase<typeof fullSchema>;
/** The database, or a transaction on it: what queries take. */
export type Queryable = Database | Parameters<Parameters<Database["transaction"]>[0]>[0];

type DatabaseSettings = Pick<Settings, "databaseUrl" | "dataDir" | "runDir">;

/** The embedded server's user and database; it listens on a unix socket in a folder that only its user can enter. */
export const embeddedDatabase = { user: "cumulus", database: "cumulus" } as const;

/**
 * A connection pool of the `postgres` driver: `DATABASE_URL`, or the embedded server on its unix socket (which can't be written in a URL).
 * Connects when first used.
 */
export function openSql(settings: DatabaseSettings, options: { maxConnections?: number } = {}): postgres.Sql {
  const common = { max: options.maxConnections ?? 10, connect_timeout: 5, idle_timeout: 60, onnotice: () => undefined };
  if (settings.databaseUrl) return postgres(settings.databaseUrl, common);
  return postgres({ ...common, ...embeddedDatabase, host: pathsOf(settings).postgresSocketDir });
}

/** The same server for graphile-worker, which brings the `pg` driver. */
export function poolConfig(settings: DatabaseSettings): PoolConfig {
  if (settings.databaseUrl) return { connectionString: settings.databaseUrl };
  return { ...embeddedDatabase, host: pathsOf(settings).postgresSocketDir };
}

export function openDatabase(sql: postgres.Sql): Database {
  return drizzle(withPreparedStatements(sql), { schema: fullSchema });
}

/**
 * The same pool, whose connections keep the statements that they have run. drizzle hands its queries over by `unsafe`, which the driver doesn't prepare: each
 * with parameters is then parsed and planned anew and takes two round trips. Half of the time of a typical query (measured).
 */
function withPreparedStatements<T extends postgres.ISql>(sql: T): T {
  return new Proxy(sql, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (name === "unsafe") return (query: string, values: unknown[]) => member(query, values, { prepare: true });
      if (name !== "begin" && name !== "savepoint") return member;
      return (run: (inner: postgres.TransactionSql) => unknown) =>
        member((inner: postgres.TransactionSql) => run(withPreparedStatements(inner)));
    },
  });
}
