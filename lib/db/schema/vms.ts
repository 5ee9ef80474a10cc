import { isNull, sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  serial,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import type { Firmware } from "../../domain/arch";
import { type FirstBoot, noFirstBoot } from "../../domain/firstBoot";
import { emptyFirstBootReport, type FirstBootReport } from "../../domain/firstBootReport";
import type { BootDevice, LiveLink } from "../../domain/machine";
import type { SnapshotManifest, SnapshotOrigin } from "../../domain/snapshot";
import type { Milestones } from "../../domain/timeline";
import type { GuestFile } from "../../domain/vm";
import type { Desired, Observed } from "../../domain/vmStatus";
import { bytes, moment, now } from "./columns";
import { hosts } from "./hosts";
import { images } from "./images";
import { networks } from "./networks";

/**
 * Intent (`desired`, `generation`) and observation (`observed…`) stand side by side and are never mixed: what people see is derived
 * (lib/domain/vmStatus.ts). What must not happen is forbidden here, by CHECK and UNIQUE.
 */
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
    /** Who has its SSH keys, as its first boot told, but for the users that were asked for; empty: not told. */
    keyUsers: jsonb("key_users").$type<string[]>().notNull().default([]),
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

/** What a VM is called, and of what, by those who made it through the OS Cloud lab's interface, where any text is a name. */
export const labVms = pgTable("lab_vms", {
  vmId: integer("vm_id")
    .primaryKey()
    .references((): AnyPgColumn => vms.id),
  name: text("name").notNull(),
  image: text("image").notNull(),
});
