import { randomInt } from "node:crypto";
import { and, eq, isNull, ne, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import type { hosts } from "../../db/schema/hosts";
import { portForwards } from "../../db/schema/vmNetworking";
import { vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import { promisableMemoryBytes } from "../../domain/host";
import { formatBytes, GIB } from "../../domain/units";

type HostRow = typeof hosts.$inferSelect;

/** Ports on the host's loopback that lead to guests; below what Linux gives to outgoing connections (32768). */
const sshPorts = { first: 20_000, last: 29_999 };

/** What is left on the host's disk for the host itself. */
const diskReserveBytes = GIB / 2;

/** Memory that live VMs that run, or are to run, were promised. @param exceptVmId a VM that is not counted */
export async function promisedMemoryBytes(db: Queryable, hostId: number, exceptVmId = 0): Promise<number> {
  const [row] = await db
    .select({ total: sql<string>`coalesce(sum(${vms.memoryBytes}), 0)` })
    .from(vms)
    .where(
      and(
        eq(vms.hostId, hostId),
        isNull(vms.deletedAt),
        ne(vms.id, exceptVmId),
        sql`(${vms.desired} = 'running' or ${vms.observed} in ('running', 'paused', 'unresponsive'))`,
      ),
    );
  return Number(row?.total ?? 0);
}

/**
 * Refuses what doesn't fit. The caller holds the host's row lock, so that two requests can't both have the last of it.
 * @throws `insufficient_capacity` naming what is free
 */
export async function admitMemory(db: Queryable, host: HostRow, memoryBytes: number, exceptVmId = 0): Promise<void> {
  const report = reportOf(host);
  const free = promisableMemoryBytes(report.memoryTotalBytes) - (await promisedMemoryBytes(db, host.id, exceptVmId));
  if (memoryBytes <= free) return;
  throw new CumulusError(
    "insufficient_capacity",
    `Not enough memory on ${host.name}: ${formatBytes(memoryBytes)} asked for, ${formatBytes(Math.max(0, free))} free. Stop a VM or take a smaller size.`,
    { fields: { memory: `At most ${formatBytes(Math.max(0, free))} is free.` } },
  );
}

/** Disks are thin, but one that could never be filled is refused. @throws `insufficient_capacity` */
export function admitDisk(host: HostRow, diskBytes: number): void {
  const free = Math.max(0, reportOf(host).diskFreeBytes - diskReserveBytes);
  if (diskBytes <= free) return;
  throw new CumulusError(
    "insufficient_capacity",
    `Not enough disk on ${host.name}: ${formatBytes(diskBytes)} asked for, ${formatBytes(free)} free. Destroy a VM or take a smaller disk.`,
    { fields: { disk: `At most ${formatBytes(free)} is free.` } },
  );
}

/** @throws `unavailable` until the host's agent has reported once */
export function reportOf(host: HostRow) {
  if (!host.report || host.unreachableSince) {
    throw new CumulusError("unavailable", `The host ${host.name} doesn't answer. Is its agent running?`, {
      retryAfterSeconds: 5,
    });
  }
  return host.report;
}

/** Random rather than lowest: installations that share a machine then seldom meet, and the agent tells when they do. */
export async function allocateSshPort(db: Queryable, hostId: number): Promise<number> {
  const rows = await db
    .select({ port: vms.sshHostPort })
    .from(vms)
    .where(and(eq(vms.hostId, hostId), isNull(vms.deletedAt)));
  const forwarded = await db.select({ port: portForwards.hostPort }).from(portForwards);
  const used = new Set([...rows, ...forwarded].map((row) => row.port));
  const count = sshPorts.last - sshPorts.first + 1;
  if (used.size >= count)
    throw new CumulusError("conflict", "All SSH ports of this host are in use. Destroy a VM first.");
  for (;;) {
    const port = sshPorts.first + randomInt(count);
    if (!used.has(port)) return port;
  }
}
