import { sql } from "drizzle-orm";
import { check, index, integer, jsonb, pgTable, serial, text, uniqueIndex } from "drizzle-orm/pg-core";
import type { BackupCopy, RepositoryAccess } from "../../domain/backup";
import type { BackupPolicy, BackupTier } from "../../domain/backupPolicy";
import { moment, now } from "./columns";
import { operations } from "./operations";
import { snapshots, vms } from "./vms";

/** Where copies of VMs go, with what opens it: read by the console alone, told to no client. */
export const backupRepositories = pgTable("backup_repositories", {
  id: serial("id").primaryKey(),
  name: text("name").notNull().unique(),
  access: jsonb("access").$type<RepositoryAccess>().notNull(),
  createdAt: moment("created_at").notNull().default(now),
});

/** One for each VM that is backed up by itself; the times say when each tier is next due. */
export const backupPolicies = pgTable("backup_policies", {
  vmId: integer("vm_id")
    .primaryKey()
    .references(() => vms.id),
  policy: jsonb("policy").$type<BackupPolicy>().notNull(),
  hourlyAt: moment("hourly_at"),
  dailyAt: moment("daily_at"),
  weeklyAt: moment("weekly_at"),
  updatedAt: moment("updated_at").notNull().default(now),
});

/** One run of a tier, or one that somebody asked for: a snapshot, and a copy of it where that is wanted. */
export const backups = pgTable(
  "backups",
  {
    id: serial("id").primaryKey(),
    vmId: integer("vm_id")
      .notNull()
      .references(() => vms.id),
    tier: text("tier").$type<BackupTier | "manual">().notNull(),
    dueAt: moment("due_at").notNull(),
    snapshotId: integer("snapshot_id").references(() => snapshots.id),
    repositoryId: integer("repository_id").references(() => backupRepositories.id),
    copyOperationId: integer("copy_operation_id").references(() => operations.id),
    copy: jsonb("copy").$type<BackupCopy>(),
    error: text("error"),
    actor: text("actor").notNull(),
    createdAt: moment("created_at").notNull().default(now),
    /** Past its retention, or removed by somebody. */
    removedAt: moment("removed_at"),
  },
  (table) => [
    index("backups_vm").on(table.vmId, table.dueAt),
    uniqueIndex("backups_run").on(table.vmId, table.tier, table.dueAt),
    check("backups_tier", sql`${table.tier} in ('hourly', 'daily', 'weekly', 'manual')`),
  ],
);
