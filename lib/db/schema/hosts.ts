import { jsonb, pgTable, serial, text } from "drizzle-orm/pg-core";
import type { HostReport } from "../../domain/host";
import { moment } from "./columns";

export const hosts = pgTable("hosts", {
  id: serial("id").primaryKey(),
  name: text("name").notNull().unique(),
  report: jsonb("report").$type<HostReport>(),
  lastSeenAt: moment("last_seen_at"),
  /** Null while the agent answers. */
  unreachableSince: moment("unreachable_since"),
});
