import type pg from "pg";
import type { Logger } from "pino";
import type { AgentClient } from "../agent/client";
import type { Database } from "../db/client";
import type { Settings } from "../env";

/** What use cases work with. One per process and module graph. */
export interface Context {
  settings: Settings;
  db: Database;
  pool: pg.Pool;
  /** The agent of this machine: the only host of this version. */
  agent: AgentClient;
  log: Logger;
}

/** Who asks. `name` is what the Activity page shows. */
export interface Actor {
  kind: "user" | "token" | "system";
  name: string;
}

export const systemActor: Actor = { kind: "system", name: "system" };
