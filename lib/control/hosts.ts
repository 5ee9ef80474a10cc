import { hostname } from "node:os";
import { and, eq, isNull, sql } from "drizzle-orm";
import { hosts } from "../db/schema/hosts";
import { vms } from "../db/schema/vms";
import { shadowedForwardsCode, shadowedInWords } from "../domain/consolePort";
import { CumulusError } from "../domain/errors";
import { type Host, type HostReport, promisableMemoryBytes } from "../domain/host";
import { announce } from "./changes";
import type { Context } from "./context";
import { takeUpImages } from "./images/takeUp";
import { requestNetworks } from "./networks/apply";
import { shadowedForwards } from "./networks/consolePort";
import { ensureDefaultNetwork } from "./networks/defaultNetwork";
import { networksPending } from "./networks/pending";
import { promisedMemoryBytes } from "./vms/allocate";

type HostRow = typeof hosts.$inferSelect;

/** The row that every installation has, this machine's. The network `default` comes with its first report, which says which range is free. */
export async function ensureBaseRows({ db }: Context): Promise<void> {
  const [host] = await db.select({ id: hosts.id }).from(hosts).limit(1);
  if (!host) await db.insert(hosts).values({ name: hostname() }).onConflictDoNothing();
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

/**
 * Writes down what the host's agent reports, sees to it that there is a network that fits there, and takes up images that it has and the database doesn't
 * know yet.
 */
export async function refreshHost(context: Context): Promise<void> {
  const [row] = await context.db.select().from(hosts).orderBy(hosts.id).limit(1);
  const report = await context.agent.host();
  if (!row) return;
  const { driver } = report.network;
  const isNewDriver = row.report?.network.driver !== driver;
  // Before the report is written: from then on, VMs may be made.
  await ensureDefaultNetwork(context, driver);
  await takeUpImages(context);
  const isNews = row.unreachableSince !== null || !row.report || isWorthTelling(row.report, report);
  await context.db.transaction(async (tx) => {
    const [now] = await tx.select({ report: hosts.report }).from(hosts).where(eq(hosts.id, row.id)).for("update");
    // What was put into effect while the host was asked is newer than its answer.
    const applied = now?.report?.network.applied;
    if (applied !== row.report?.network.applied) report.network.applied = applied;
    await tx.update(hosts).set({ report, lastSeenAt: new Date(), unreachableSince: null }).where(eq(hosts.id, row.id));
    if (isNews) await announce(tx, { kind: "host", id: row.id });
    if (!isNewDriver) return;
    await requestNetworks(tx);
    // Each has a new way to it, or one from its next start on.
    for (const vm of await tx.select({ id: vms.id }).from(vms).where(isNull(vms.deletedAt))) {
      await announce(tx, { kind: "vm", id: vm.id });
    }
  });
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

async function toHost(context: Context, row: HostRow): Promise<Host> {
  const promised = await promisedMemoryBytes(context.db, row.id);
  const vmCount = await context.db.$count(vms, and(eq(vms.hostId, row.id), isNull(vms.deletedAt)));
  const promisable = row.report ? promisableMemoryBytes(row.report.memoryTotalBytes) : 0;
  return {
    id: row.id,
    name: row.name,
    isReachable: row.unreachableSince === null && row.report !== null,
    lastSeenAt: row.lastSeenAt?.toISOString() ?? null,
    report: row.report && { ...row.report, degraded: [...row.report.degraded, ...(await shadowed(context))] },
    networksPending: await networksPending(context),
    memoryPromisedBytes: promised,
    memoryFreeBytes: Math.max(0, promisable - promised),
    vmCount,
  };
}

async function shadowed({ db, settings }: Context): Promise<HostReport["degraded"]> {
  const forwards = await shadowedForwards(db, settings.port);
  if (forwards.length === 0) return [];
  return [{ code: shadowedForwardsCode, message: forwards.map(shadowedInWords).join(" ") }];
}

/** Free memory and disk move all the time: only a move of more than 64 MiB is news. */
function isWorthTelling(before: HostReport, after: HostReport): boolean {
  const coarse = ({ memoryAvailableBytes, diskFreeBytes, ...rest }: HostReport) =>
    JSON.stringify([rest, Math.round(memoryAvailableBytes / 2 ** 26), Math.round(diskFreeBytes / 2 ** 26)]);
  return coarse(before) !== coarse(after);
}
