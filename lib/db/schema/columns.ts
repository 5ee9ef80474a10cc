import { sql } from "drizzle-orm";
import { bigint, timestamp } from "drizzle-orm/pg-core";

/**
 * What columns of many tables have in common. All tables of Cumulus' own are in this folder, by areas, and refer one way: hosts, networks and
 * images know no other; VMs know these; networking of VMs, operations and backups know VMs.
 */
export const moment = (name: string) => timestamp(name, { withTimezone: true });
export const bytes = (name: string) => bigint(name, { mode: "number" });
export const now = sql`now()`;
