import { pgTable, serial, text } from "drizzle-orm/pg-core";
import { moment, now } from "./columns";

export const sshKeys = pgTable("ssh_keys", {
  id: serial("id").primaryKey(),
  name: text("name").notNull().unique(),
  publicKey: text("public_key").notNull(),
  fingerprint: text("fingerprint").notNull().unique(),
  createdAt: moment("created_at").notNull().default(now),
});

/** User data to choose for new VMs, each of which keeps a copy of its own. */
export const userDataTemplates = pgTable("user_data_templates", {
  id: serial("id").primaryKey(),
  name: text("name").notNull().unique(),
  description: text("description").notNull(),
  userData: text("user_data").notNull(),
  createdAt: moment("created_at").notNull().default(now),
  updatedAt: moment("updated_at").notNull().default(now),
});
