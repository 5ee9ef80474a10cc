import { type AgentClient, createAgentClient } from "./agent/client";
import { type Auth, createAuth } from "./auth/auth";
import { readSecrets, type Secrets } from "./auth/secrets";
import { type ChangeFeed, createChangeFeed } from "./control/changeFeed";
import type { Context } from "./control/context";
import { connectionConfig, openDatabase, openPool } from "./db/client";
import { pathsOf, readSettings } from "./env";
import { createLog } from "./log";

/** What a console process works with. */
export interface Services {
  context: Context;
  auth: Auth;
  secrets: Secrets;
  agent: AgentClient;
  changes: ChangeFeed;
}

/** @param maxConnections of the database pool */
export function createServices(maxConnections: number): Services {
  const settings = readSettings();
  const log = createLog("console", settings);
  const pool = openPool(settings, { maxConnections });
  const db = openDatabase(pool);
  const agent = createAgentClient({ socketPath: pathsOf(settings).agentSocket });
  const secrets = readSecrets(settings);
  const auth = createAuth(db, settings, secrets.authSecret);
  const changes = createChangeFeed(connectionConfig(settings), (err) =>
    log.warn({ err }, "could not listen for changes"),
  );
  return { context: { settings, db, pool, agent, log }, auth, secrets, agent, changes };
}

const holder = globalThis as typeof globalThis & { cumulusServices?: Services };

/**
 * The services of Next's route handlers and pages. They are another module graph than the server's own (lib/server.ts), and in development are loaded again at
 * every change: hence the global.
 */
export function services(): Services {
  holder.cumulusServices ??= createServices(10);
  return holder.cumulusServices;
}
