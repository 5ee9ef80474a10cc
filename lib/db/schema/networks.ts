import { jsonb, pgTable, serial, text } from "drizzle-orm/pg-core";
import type { Firewall } from "../../domain/firewall";
import type { Network } from "../../domain/network";
import { moment, now } from "./columns";

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

export const firewalls = pgTable("firewalls", {
  id: serial("id").primaryKey(),
  name: text("name").notNull().unique(),
  rules: jsonb("rules").$type<Firewall["rules"]>().notNull(),
  createdAt: moment("created_at").notNull().default(now),
});
