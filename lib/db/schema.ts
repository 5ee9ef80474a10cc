import { isNull, sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  serial,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import type { Firmware } from "../domain/arch";
import type { BackupCopy, RepositoryAccess } from "../domain/backup";
import type { BackupPolicy, BackupTier } from "../domain/backupPolicy";
import type { Firewall } from "../domain/firewall";
import { type FirstBoot, noFirstBoot } from "../domain/firstBoot";
import { emptyFirstBootReport, type FirstBootReport } from "../domain/firstBootReport";
import type { HostReport } from "../domain/host";
import type { Image } from "../domain/image";
import type { BootDevice, LiveLink } from "../domain/machine";
import type { Network } from "../domain/network";
import type { OperationKind } from "../domain/operation";
import type { Recipe } from "../domain/recipe";
import type { SnapshotManifest, SnapshotOrigin } from "../domain/snapshot";
import type { Transfer } from "../domain/task";
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
  description: text("description").notNull().default(""),
  cidr: text("cidr").notNull(),
  gateway: text("gateway").notNull(),
  domain: text("domain").notNull().default("internal"),
  /** Name servers that are asked for names from elsewhere; none: the host's own. */
  dnsServers: jsonb("dns_servers").$type<string[]>().notNull().default([]),
  outside: text("outside").$type<Network["outside"]>().notNull().default("nat"),
  /** Networks whose VMs its VMs may connect to. */
  reaches: jsonb("reaches").$type<number[]>().notNull().default([]),
  ipv6Cidr: text("ipv6_cidr"),
  /** Addresses that VMs are given by themselves; others can be asked for by hand. */
  rangeFirst: text("range_first"),
  rangeLast: text("range_last"),
});

/**
 * Every address of a network that is not free: the row is what holds it. A VM's is freed on destroy, and taken again after a while only, so that what still talks to the
 * old machine doesn't reach a new one.
 */
export const addresses = pgTable(
  "addresses",
  {
    networkId: integer("network_id")
      .notNull()
      .references(() => networks.id, { onDelete: "cascade" }),
    ipv4: text("ipv4").notNull(),
    /** Null: reserved by hand, for nothing of Cumulus'. */
    vmId: integer("vm_id").references((): AnyPgColumn => vms.id),
    note: text("note").notNull().default(""),
    releasedAt: moment("released_at"),
  },
  (table) => [
    primaryKey({ columns: [table.networkId, table.ipv4] }),
    index("addresses_vm").on(table.vmId),
    check("addresses_released", sql`${table.releasedAt} is null or ${table.vmId} is not null`),
  ],
);

/** Interfaces of VMs beyond the first, which is in the VM's own row. */
export const vmInterfaces = pgTable(
  "vm_interfaces",
  {
    vmId: integer("vm_id")
      .notNull()
      .references((): AnyPgColumn => vms.id),
    /** QEMU's id: `net1` to `net7`. */
    interfaceId: text("interface_id").notNull(),
    networkId: integer("network_id")
      .notNull()
      .references(() => networks.id),
    mac: text("mac").notNull().unique(),
    ipv4: text("ipv4").notNull(),
    /** It is to go, and does once the VM has let go of it. */
    isLeaving: boolean("is_leaving").notNull().default(false),
  },
  (table) => [primaryKey({ columns: [table.vmId, table.interfaceId] })],
);

/** Bandwidth of interfaces, as the VM sees it: `ingress` is what it receives. */
export const interfaceLimits = pgTable(
  "interface_limits",
  {
    vmId: integer("vm_id")
      .notNull()
      .references((): AnyPgColumn => vms.id),
    interfaceId: text("interface_id").notNull(),
    ingressBytesPerSecond: bytes("ingress_bytes_per_second"),
    egressBytesPerSecond: bytes("egress_bytes_per_second"),
  },
  (table) => [primaryKey({ columns: [table.vmId, table.interfaceId] })],
);

/** Ports of the host that lead to VMs. */
export const portForwards = pgTable(
  "port_forwards",
  {
    id: serial("id").primaryKey(),
    vmId: integer("vm_id")
      .notNull()
      .references((): AnyPgColumn => vms.id),
    hostAddress: text("host_address").notNull(),
    hostPort: integer("host_port").notNull(),
    protocol: text("protocol").$type<"tcp" | "udp">().notNull(),
    port: integer("port").notNull(),
  },
  (table) => [uniqueIndex("port_forwards_host").on(table.hostAddress, table.hostPort, table.protocol)],
);

export const firewalls = pgTable("firewalls", {
  id: serial("id").primaryKey(),
  name: text("name").notNull().unique(),
  rules: jsonb("rules").$type<Firewall["rules"]>().notNull(),
  createdAt: moment("created_at").notNull().default(now),
});

export const vmFirewalls = pgTable(
  "vm_firewalls",
  {
    vmId: integer("vm_id")
      .notNull()
      .references((): AnyPgColumn => vms.id),
    firewallId: integer("firewall_id")
      .notNull()
      .references(() => firewalls.id),
  },
  (table) => [primaryKey({ columns: [table.vmId, table.firewallId] })],
);

export const images = pgTable(
  "images",
  {
    id: serial("id").primaryKey(),
    /** Of its file, which images of several names may share. */
    sha256: text("sha256").notNull(),
    name: text("name").notNull(),
    title: text("title").notNull(),
    description: text("description").notNull(),
    kind: text("kind").$type<Image["kind"]>().notNull().default("disk"),
    arch: text("arch").$type<"x86_64" | "aarch64">().notNull(),
    firmware: text("firmware").$type<"bios" | "uefi">().notNull(),
    firmwares: jsonb("firmwares").$type<Image["firmwares"]>().notNull().default([]),
    fileBytes: bytes("file_bytes").notNull(),
    virtualBytes: bytes("virtual_bytes").notNull(),
    minMemoryBytes: bytes("min_memory_bytes").notNull(),
    loginUser: text("login_user").notNull(),
    os: jsonb("os").$type<Image["os"]>(),
    endOfLife: text("end_of_life"),
    aliases: jsonb("aliases").$type<string[]>().notNull().default([]),
    source: jsonb("source").$type<Image["source"]>().notNull().default({ type: "built" }),
    /** What made it from another image, to be run again on a newer one; its passwords are hashes. */
    recipe: jsonb("recipe").$type<Recipe>(),
    createdAt: moment("created_at").notNull(),
    /** A removed image keeps its row, which VMs that are gone refer to. */
    deletedAt: moment("deleted_at"),
  },
  (table) => [uniqueIndex("images_file_and_name").on(table.sha256, table.name)],
);

/** Recipes that are kept by name; their passwords are hashes. */
export const recipes = pgTable("recipes", {
  id: serial("id").primaryKey(),
  name: text("name").notNull().unique(),
  recipe: jsonb("recipe").$type<Recipe>().notNull(),
  createdAt: moment("created_at").notNull().default(now),
  updatedAt: moment("updated_at").notNull().default(now),
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
    /** What the request made: a VM, or an operation that makes something. */
    vmId: integer("vm_id"),
    operationId: integer("operation_id"),
    createdAt: moment("created_at").notNull().default(now),
  },
  (table) => [
    uniqueIndex().on(table.actor, table.key),
    check("idempotency_keys_made", sql`(${table.vmId} is null) <> (${table.operationId} is null)`),
  ],
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
    firstBoot: jsonb("first_boot").$type<FirstBoot>().notNull().default(noFirstBoot),
    /** Null for VMs of before there was a choice: as the image has it. */
    firmware: text("firmware").$type<Firmware>(),
    /** The ISO that is to lie in its CD-ROM drive. */
    cdromImageId: integer("cdrom_image_id").references(() => images.id),
    bootFrom: text("boot_from").$type<BootDevice>().notNull().default("disk"),
    /** The snapshot that its disk started from; null when that was the image. */
    fromSnapshotId: integer("from_snapshot_id").references((): AnyPgColumn => snapshots.id),

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
    firstBootReport: jsonb("first_boot_report").$type<FirstBootReport>().notNull().default(emptyFirstBootReport),
    /** The SHA-256 of the ISO that was seen in its drive. */
    observedCdrom: text("observed_cdrom"),
    /** How its QEMU is connected; null while it is off. */
    observedLink: jsonb("observed_link").$type<LiveLink>(),
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
    check("vms_firmware", sql`${table.firmware} in ('bios', 'uefi')`),
    check("vms_boot_from", sql`${table.bootFrom} in ('disk', 'cdrom')`),
    check("vms_stop_mode", sql`${table.stopMode} in ('power-off', 'acpi')`),
    check(
      "vms_deleted",
      sql`${table.deletedAt} is null or (${table.desired} = 'deleted' and ${table.observed} = 'absent')`,
    ),
    check("vms_generation", sql`${table.settledGeneration} <= ${table.generation}`),
    check("vms_shape", sql`${table.vcpus} > 0 and ${table.memoryBytes} > 0 and ${table.diskBytes} > 0`),
  ],
);

/** What a VM is called, and of what, by those who made it through the OS Cloud lab's interface, where any text is a name. */
export const labVms = pgTable("lab_vms", {
  vmId: integer("vm_id")
    .primaryKey()
    .references((): AnyPgColumn => vms.id),
  name: text("name").notNull(),
  image: text("image").notNull(),
});

/** Points in time of VMs. A row without `manifest` is being taken; one that failed to be taken is deleted. */
export const snapshots = pgTable(
  "snapshots",
  {
    id: serial("id").primaryKey(),
    vmId: integer("vm_id")
      .notNull()
      .references((): AnyPgColumn => vms.id),
    name: text("name").notNull(),
    note: text("note").notNull().default(""),
    origin: text("origin").$type<SnapshotOrigin>().notNull(),
    hasMemory: boolean("has_memory").notNull(),
    /** What the host made; null until it is whole. */
    manifest: jsonb("manifest").$type<SnapshotManifest>(),
    /** The snapshot that the VM's disk stood on when this was taken. */
    parentId: integer("parent_id").references((): AnyPgColumn => snapshots.id),
    desired: text("desired").$type<"present" | "deleted">().notNull().default("present"),
    createdAt: moment("created_at").notNull().default(now),
    deletedAt: moment("deleted_at"),
  },
  (table) => [
    index("snapshots_vm").on(table.vmId, table.id),
    uniqueIndex("snapshots_live_name").on(table.vmId, table.name).where(isNull(table.deletedAt)),
    check("snapshots_desired", sql`${table.desired} in ('present', 'deleted')`),
    check("snapshots_deleted", sql`${table.deletedAt} is null or ${table.desired} = 'deleted'`),
  ],
);

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
    .references((): AnyPgColumn => vms.id),
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
      .references((): AnyPgColumn => vms.id),
    tier: text("tier").$type<BackupTier | "manual">().notNull(),
    dueAt: moment("due_at").notNull(),
    snapshotId: integer("snapshot_id").references((): AnyPgColumn => snapshots.id),
    repositoryId: integer("repository_id").references(() => backupRepositories.id),
    copyOperationId: integer("copy_operation_id").references((): AnyPgColumn => operations.id),
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
    index("operations_open").on(table.vmId).where(sql`${table.status} in ('pending', 'running')`),
    check("operations_progress", sql`${table.progress} between 0 and 100`),
    check(
      "operations_finished",
      sql`(${table.status} in ('done', 'failed', 'superseded', 'cancelled')) = (${table.finishedAt} is not null)`,
    ),
  ],
);
