import { sql } from "drizzle-orm";
import { check, integer, pgTable, serial, text, uniqueIndex } from "drizzle-orm/pg-core";
import { moment, now } from "./columns";

export const apiTokens = pgTable("api_tokens", {
  id: serial("id").primaryKey(),
  name: text("name").notNull(),
  prefix: text("prefix").notNull(),
  /** SHA-256 of the token, in hexadecimal: the token itself is random enough to need no slow hash. */
  hash: text("hash").notNull().unique(),
  createdAt: moment("created_at").notNull().default(now),
  lastUsedAt: moment("last_used_at"),
});

export const idempotencyKeys = pgTable(
  "idempotency_keys",
  {
    id: serial("id").primaryKey(),
    actor: text("actor").notNull(),
    key: text("key").notNull(),
    /** SHA-256 of method, path and body: the same key with another request is refused. */
    requestHash: text("request_hash").notNull(),
    /** What the request made: a VM, a backup, or an operation that makes something. */
    vmId: integer("vm_id"),
    operationId: integer("operation_id"),
    backupId: integer("backup_id"),
    createdAt: moment("created_at").notNull().default(now),
  },
  (table) => [
    uniqueIndex().on(table.actor, table.key),
    check("idempotency_keys_made", sql`num_nonnulls(${table.vmId}, ${table.operationId}, ${table.backupId}) = 1`),
  ],
);
