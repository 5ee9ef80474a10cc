import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { findPostmaster, startEmbeddedPostgres, stopEmbeddedPostgres } from "../db/embedded";
import { CumulusError, messageOf } from "../domain/errors";
import type { Settings } from "../env";
import { logFileOf, rotateLog } from "../log";
import type { Service } from "./supervisor";

const pollMs = 500;

/** The embedded PostgreSQL as a service. It may run already, so its end is seen by looking, not by waiting for a child. */
export class DatabaseService implements Service {
  readonly name = "database";
  private readonly settings: Settings;

  constructor(settings: Settings) {
    this.settings = settings;
  }

  async start(): Promise<void> {
    await startEmbeddedPostgres(this.settings);
  }

  async ended(): Promise<string> {
    while (await findPostmaster(this.settings)) {
      rotateLog(logFileOf("postgres", this.settings));
      await delay(pollMs);
    }
    return "gone";
  }

  async stop(): Promise<void> {
    await stopEmbeddedPostgres(this.settings);
  }
}

/** `unavailable` in a sentence when the server of DATABASE_URL doesn't answer. The URL holds a password: it is not shown. */
export async function requireDatabase(databaseUrl: string): Promise<void> {
  try {
    const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
    await client.connect();
    await client.end();
  } catch (error) {
    throw new CumulusError(
      "unavailable",
      `The database of DATABASE_URL does not answer (${messageOf(error)}): start it, correct the URL, or unset it to use the embedded one.`,
      { cause: error },
    );
  }
}
