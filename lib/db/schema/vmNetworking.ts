import { sql } from "drizzle-orm";
import { boolean, check, index, integer, pgTable, primaryKey, serial, text, uniqueIndex } from "drizzle-orm/pg-core";
import { bytes, moment } from "./columns";
import { firewalls, networks } from "./networks";
import { vms } from "./vms";

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
    /** Null: reserved by hand, for nothing of Cumulus' or for a VM that is yet to ask for it. */
    vmId: integer("vm_id").references(() => vms.id),
    note: text("note").notNull().default(""),
    releasedAt: moment("released_at"),
    /** That of the interface which had it before it was released: DHCP and neighbours know the address by it a while longer. */
    mac: text("mac"),
    /** Reserved by hand for the VM that asks for the address, and still after that VM: the row is then not forgotten. */
    reservedMac: text("reserved_mac").unique(),
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
      .references(() => vms.id),
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
      .references(() => vms.id),
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
      .references(() => vms.id),
    hostAddress: text("host_address").notNull(),
    hostPort: integer("host_port").notNull(),
    protocol: text("protocol").$type<"tcp" | "udp">().notNull(),
    port: integer("port").notNull(),
  },
  (table) => [uniqueIndex("port_forwards_host").on(table.hostAddress, table.hostPort, table.protocol)],
);

export const vmFirewalls = pgTable(
  "vm_firewalls",
  {
    vmId: integer("vm_id")
      .notNull()
      .references(() => vms.id),
    firewallId: integer("firewall_id")
      .notNull()
      .references(() => firewalls.id),
  },
  (table) => [primaryKey({ columns: [table.vmId, table.firewallId] })],
);
