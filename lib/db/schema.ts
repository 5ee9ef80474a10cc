import { isNull, sql } from "drizzle-orm";
import {
  bigint,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  serial,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import type { HostReport } from "../domain/host";
import type { OperationKind } from "../domain/operation";
import type { Milestones } from "../domain/timeline";
import type { GuestFile } from "../domain/vm";
import type { Desired, Observed } from "../domain/vmStatus";

/**
 * All tables of Cumulus' own. Intent (`desired`, `generation`) and observation (`observed…`) stand side by side and are never mixed:
 * what people see is derived (lib/domain/vmStatus.ts). What must not happen is forbidden here, by CHECK and UNIQUE.
 */
const moment = (name: string) => timestamp(name, { withTimezone: true });
const bytes = (name: string) => bigint(name, { mode: "number" });
const now = sql`now()`;

export const hosts = pgTable("hosts", {
  id: serial("id").primaryKey(),
  name: text("name").notNull().unique(),
  report: jsonb("report").$type<HostReport>(),
  lastSeenAt: moment("last_seen_at"),
  /** Null while the agent answers. */
  unreachableSince: moment("unreachable_since"),
});

export const networks = pgTable("networks", {
  id: serial("id").primaryKey(),
  name: text("name").notNull().unique(),
  cidr: text("cidr").notNull(),
  gateway: text("gateway").notNull(),
});

export const images = pgTable("images", {
  id: serial("id").primaryKey(),
  sha256: text("sha256").notNull().unique(),
  name: text("name").notNull(),
  title: text("title").notNull(),
  description: text("description").notNull(),
  arch: text("arch").$type<"x86_64" | "aarch64">().notNull(),
  firmware: text("firmware").$type<"bios" | "uefi">().notNull(),
  fileBytes: bytes("file_bytes").notNull(),
  virtualBytes: bytes("virtual_bytes").notNull(),
  minMemoryBytes: bytes("min_memory_bytes").notNull(),
  loginUser: text("login_user").notNull(),
  createdAt: moment("created_at").notNull(),
});

export const sshKeys = pgTable("ssh_keys", {
  id: serial("id").primaryKey(),
  name: text("name").notNull().unique(),
  publicKey: text("public_key").notNull(),
  fingerprint: text("fingerprint").notNull().unique(),
  createdAt: moment("created_at").notNull().default(now),
});

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
    vmId: integer("vm_id").notNull(),
    createdAt: moment("created_at").notNull().default(now),
  },
  (table) => [uniqueIndex().on(table.actor, table.key)],
);

export const vms = pgTable(
  "vms",
  {
    id: serial("id").primaryKey(),
    uuid: uuid("uuid").notNull().unique().defaultRandom(),
    name: text("name").notNull(),
    hostId: integer("host_id")
      .notNull()
      .references(() => hosts.id),
    imageId: integer("image_id")
      .notNull()
      .references(() => images.id),
    sizeName: text("size_name"),
    vcpus: integer("vcpus").notNull(),
    memoryBytes: bytes("memory_bytes").notNull(),
    diskBytes: bytes("disk_bytes").notNull(),
    networkId: integer("network_id")
      .notNull()
      .references(() => networks.id),
    ipv4: text("ipv4").notNull(),
    mac: text("mac").notNull(),
    sshHostPort: integer("ssh_host_port").notNull(),
    sshKeys: jsonb("ssh_keys").$type<{ name: string; publicKey: string; fingerprint: string }[]>().notNull(),
    userData: text("user_data"),
    files: jsonb("files").$type<GuestFile[]>().notNull(),

    desired: text("desired").$type<Desired>().notNull(),
    /** How a VM that is to stop is stopped: at once, or by ACPI until the deadline and then at once. */
    stopMode: text("stop_mode").$type<"power-off" | "acpi">().notNull().default("power-off"),
    stopDeadlineAt: moment("stop_deadline_at"),
    /** Grows with every intent. An intent that failed for good, or that a crash ended, is not tried again until it grows. */
    generation: integer("generation").notNull().default(1),
    /** The newest generation that was reached or given up. */
    settledGeneration: integer("settled_generation").notNull().default(0),
    intentAt: moment("intent_at").notNull().default(now),

    observed: text("observed").$type<Observed>().notNull().default("absent"),
    observedAt: moment("observed_at"),
    observedSince: moment("observed_since").notNull().default(now),
    observedReason: text("observed_reason"),
    bootCount: integer("boot_count").notNull().default(0),
    milestones: jsonb("milestones").$type<Milestones>().notNull().default({}),
    firstBootError: text("first_boot_error"),
    /** Why the present generation was given up. */
    lastError: text("last_error"),

    createdAt: moment("created_at").notNull().default(now),
    updatedAt: moment("updated_at").notNull().default(now),
    deletedAt: moment("deleted_at"),
  },
  (table) => [
    uniqueIndex("vms_live_name").on(table.name).where(isNull(table.deletedAt)),
    uniqueIndex("vms_live_address").on(table.networkId, table.ipv4).where(isNull(table.deletedAt)),
    uniqueIndex("vms_live_mac").on(table.mac).where(isNull(table.deletedAt)),
    uniqueIndex("vms_live_ssh_port").on(table.hostId, table.sshHostPort).where(isNull(table.deletedAt)),
    index("vms_image").on(table.imageId),
    check("vms_desired", sql`${table.desired} in ('running', 'stopped', 'deleted')`),
    check(
      "vms_observed",
      sql`${table.observed} in ('absent', 'stopped', 'running', 'paused', 'crashed', 'unresponsive')`,
    ),
    check("vms_stop_mode", sql`${table.stopMode} in ('power-off', 'acpi')`),
    check(
      "vms_deleted",
      sql`${table.deletedAt} is null or (${table.desired} = 'deleted' and ${table.observed} = 'absent')`,
    ),
    check("vms_generation", sql`${table.settledGeneration} <= ${table.generation}`),
    check("vms_shape", sql`${table.vcpus} > 0 and ${table.memoryBytes} > 0 and ${table.diskBytes} > 0`),
  ],
);

export const operations = pgTable(
  "operations",
  {
    id: serial("id").primaryKey(),
    kind: text("kind").$type<OperationKind>().notNull(),
    status: text("status")
      .$type<"pending" | "running" | "done" | "failed" | "superseded">()
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
    actor: text("actor").notNull(),
    createdAt: moment("created_at").notNull().default(now),
    startedAt: moment("started_at"),
    finishedAt: moment("finished_at"),
  },
  (table) => [
    index("operations_vm").on(table.vmId, table.id),
    index("operations_open").on(table.vmId).where(sql`${table.status} in ('pending', 'running')`),
    check("operations_progress", sql`${table.progress} between 0 and 100`),
    check(
      "operations_finished",
      sql`(${table.status} in ('done', 'failed', 'superseded')) = (${table.finishedAt} is not null)`,
    ),
  ],
);
