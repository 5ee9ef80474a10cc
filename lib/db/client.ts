import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import pg from "pg";
import { pathsOf, type Settings } from "../env";
import * as authSchema from "./authSchema";
import { hideParameters } from "./hideParameters";
import { keepStatements } from "./keepStatements";

/** The database. Drizzle is told of better-auth's tables alone: its relational queries, which need that, are made by nobody else. */
export type Database = NodePgDatabase<typeof authSchema>;
/** The database, or a transaction on it: what queries take. */
export type Queryable = Database | Parameters<Parameters<Database["transaction"]>[0]>[0];

type DatabaseSettings = Pick<Settings, "databaseUrl" | "dataDir" | "runDir">;

/** The embedded server's user and database; it listens on a unix socket in a folder that only its user can enter. */
export const embeddedDatabase = { user: "cumulus", database: "cumulus" } as const;

/** Where the server is: `DATABASE_URL`, or the embedded one's unix socket (which can't be written in a URL). */
export function connectionConfig(settings: DatabaseSettings): pg.ClientConfig {
  const common = { connectionTimeoutMillis: 5_000, keepAlive: true };
  if (settings.databaseUrl) return { ...common, connectionString: settings.databaseUrl };
  return { ...common, ...embeddedDatabase, host: pathsOf(settings).postgresSocketDir };
}

/** A connection pool. Connects when first used; a connection that broke is replaced. */
export function openPool(settings: DatabaseSettings, options: { maxConnections?: number } = {}): pg.Pool {
  const pool = new pg.Pool({
    ...connectionConfig(settings),
    max: options.maxConnections ?? 10,
    idleTimeoutMillis: 60_000,
    allowExitOnIdle: true,
  });
  // Whoever uses a connection that breaks is told by the query that fails; one that nobody uses is left out by the pool.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => void client.on("error", () => undefined));
  return pool;
}

export function openDatabase(pool: pg.Pool): Database {
  hideParameters(pool);
  pool.on("connect", (client) => {
    hideParameters(client);
    keepStatements(client);
  });
  const database = drizzle(pool, { schema: authSchema });
  const databases = new WeakMap<pg.PoolClient, Database>();
  // drizzle's own never gives back a connection on which `begin` fails: each would be missing for good.
  database.transaction = async (run, config) => {
    const client = await pool.connect();
    let isWhole = false;
    try {
      const own = databases.get(client) ?? drizzle(client, { schema: authSchema });
      databases.set(client, own);
      const result = await own.transaction(run, config);
      isWhole = true;
      return result;
    } finally {
      client.release(!isWhole);
    }
  };
  return database;
}
