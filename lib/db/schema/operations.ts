import { sql } from "drizzle-orm";
import { boolean, check, index, integer, jsonb, pgTable, serial, text, uniqueIndex } from "drizzle-orm/pg-core";
import type { OperationKind } from "../../domain/operation";
import type { Transfer } from "../../domain/task";
import { moment, now } from "./columns";
import { vms } from "./vms";

export const operations = pgTable(
  "operations",
  {
    id: serial("id").primaryKey(),
    kind: text("kind").$type<OperationKind>().notNull(),
    status: text("status")
      .$type<"pending" | "running" | "done" | "failed" | "superseded" | "cancelled">()
      .notNull()
      .default("pending"),
    progress: integer("progress").notNull().default(0),
    message: text("message"),
    error: text("error"),
    vmId: integer("vm_id").references(() => vms.id),
    /** The VM's generation that this asks for; null for acts that happen once (reboot, reset, pause, resume). */
    generation: integer("generation"),
    /** For a reboot: the boot count before it; it is done when the count has grown. */
    bootCountBefore: integer("boot_count_before"),
    /** What it is about, where that is no VM: an image's or a snapshot's name. */
    subject: text("subject"),
    /** The task of the host's agent that carries it out (lib/agent/tasks), and what that is given; null for a VM's acts. */
    taskKind: text("task_kind"),
    taskParams: jsonb("task_params").$type<Record<string, unknown>>(),
    /** At most one open operation has a key: the same download asked for twice is one. */
    dedupKey: text("dedup_key"),
    transfer: jsonb("transfer").$type<Transfer>(),
    /** What came out, in the kind's own shape. */
    result: jsonb("result").$type<Record<string, unknown>>(),
    isCancelled: boolean("is_cancelled").notNull().default(false),
    actor: text("actor").notNull(),
    createdAt: moment("created_at").notNull().default(now),
    startedAt: moment("started_at"),
    finishedAt: moment("finished_at"),
  },
  (table) => [
    index("operations_vm").on(table.vmId, table.id),
    uniqueIndex("operations_dedup").on(table.dedupKey).where(sql`${table.status} in ('pending', 'running')`),
    index("operations_key").on(table.dedupKey, table.finishedAt),
    index("operations_open").on(table.vmId).where(sql`${table.status} in ('pending', 'running')`),
    check("operations_progress", sql`${table.progress} between 0 and 100`),
    check(
      "operations_finished",
      sql`(${table.status} in ('done', 'failed', 'superseded', 'cancelled')) = (${table.finishedAt} is not null)`,
    ),
  ],
);
