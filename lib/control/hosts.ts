import { hostname } from "node:os";
import { and, eq, isNull, sql } from "drizzle-orm";
import { hosts, images, networks, vms } from "../db/schema";
import { CumulusError } from "../domain/errors";
import { type Host, type HostReport, promisableMemoryBytes } from "../domain/host";
import { announce } from "./changes";
import type { Context } from "./context";
import { promisedMemoryBytes } from "./vms/allocate";

type HostRow = typeof hosts.$inferSelect;

/** The rows that every installation has: this machine and the default network. */
export async function ensureBaseRows(context: Context): Promise<void> {
  const { db } = context;
  const [host] = await db.select({ id: hosts.id }).from(hosts).limit(1);
  if (!host) await db.insert(hosts).values({ name: hostname() }).onConflictDoNothing();
  const network = { name: "default", cidr: "192.168.0.0/24", gateway: "192.168.0.1" };
  await db.insert(networks).values(network).onConflictDoNothing();
}

export async function listHosts(context: Context): Promise<Host[]> {
  const rows = await context.db.select().from(hosts).orderBy(hosts.id);
  return Promise.all(rows.map((row) => toHost(context, row)));
}

/** The machine that this console runs on. */
export async function getHost(context: Context): Promise<Host> {
  const [row] = await context.db.select().from(hosts).orderBy(hosts.id).limit(1);
  if (!row) throw new CumulusError("unavailable", "No host has joined yet.", { retryAfterSeconds: 5 });
  return toHost(context, row);
}

/** Writes down what the host's agent reports, and takes up images that it has and the database doesn't know yet. */
export async function refreshHost(context: Context): Promise<void> {
  const report = await context.agent.host();
  const [row] = await context.db.select().from(hosts).orderBy(hosts.id).limit(1);
  if (!row) return;
  const isNews = row.unreachableSince !== null || !row.report || isWorthTelling(row.report, report);
  await context.db.transaction(async (tx) => {
    await tx.update(hosts).set({ report, lastSeenAt: new Date(), unreachableSince: null }).where(eq(hosts.id, row.id));
    if (isNews) await announce(tx, { kind: "host", id: row.id });
  });
  await takeUpImages(context);
}

/** Tells that the host's agent doesn't answer. Asked again, it tells again: what was seen before grows old meanwhile. */
export async function noteHostAway(context: Context): Promise<void> {
  await context.db.transaction(async (tx) => {
    const [row] = await tx
      .update(hosts)
      .set({ unreachableSince: sql`coalesce(${hosts.unreachableSince}, now())` })
      .returning({ id: hosts.id });
    if (row) await announce(tx, { kind: "host", id: row.id });
  });
}

async function takeUpImages(context: Context): Promise<void> {
  for (const manifest of await context.agent.listImages()) {
    const { recipeHash: _recipeHash, createdAt, ...values } = manifest;
    const [row] = await context.db
      .insert(images)
      .values({ ...values, createdAt: new Date(createdAt) })
      .onConflictDoNothing()
      .returning({ id: images.id });
    if (row) await announce(context.db, { kind: "image", id: row.id });
  }
}

async function toHost(context: Context, row: HostRow): Promise<Host> {
  const promised = await promisedMemoryBytes(context.db, row.id);
  const vmCount = await context.db.$count(vms, and(eq(vms.hostId, row.id), isNull(vms.deletedAt)));
  const promisable = row.report ? promisableMemoryBytes(row.report.memoryTotalBytes) : 0;
  return {
    id: row.id,
    name: row.name,
    isReachable: row.unreachableSince === null && row.report !== null,
    lastSeenAt: row.lastSeenAt?.toISOString() ?? null,
    report: row.report,
    memoryPromisedBytes: promised,
    memoryFreeBytes: Math.max(0, promisable - promised),
    vmCount,
  };
}

/** Free memory and disk move all the time: only a move of more than 64 MiB is news. */
function isWorthTelling(before: HostReport, after: HostReport): boolean {
  const coarse = ({ memoryAvailableBytes, diskFreeBytes, ...rest }: HostReport) =>
    JSON.stringify([rest, Math.round(memoryAvailableBytes / 2 ** 26), Math.round(diskFreeBytes / 2 ** 26)]);
  return coarse(before) !== coarse(after);
}
