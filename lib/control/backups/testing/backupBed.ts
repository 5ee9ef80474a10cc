import { eq, sql } from "drizzle-orm";
import { testHypervisor } from "../../../agent/testAgent";
import { backupPolicies, backupRepositories, backups } from "../../../db/schema/backups";
import { operations } from "../../../db/schema/operations";
import { snapshots } from "../../../db/schema/vms";
import type { BackupPolicy } from "../../../domain/backupPolicy";
import type { SnapshotManifest } from "../../../domain/snapshotManifest";
import { createVmSchema } from "../../../domain/vm";
import type { Hypervisor } from "../../../hypervisor/hypervisor";
import { type Context, systemActor } from "../../context";
import { convergeVm } from "../../converge";
import type { OperationRow } from "../../operations";
import { endTask } from "../../tasks/end";
import type { TestControlPlane } from "../../testControlPlane";
import { createVm } from "../../vms/create";

type BackupRow = typeof backups.$inferSelect;

export const hourly: BackupPolicy = {
  timeZone: "UTC",
  hourly: { minute: 0, keep: 1 },
  daily: null,
  weekly: null,
  repository: null,
};
export const longAgo = new Date("2026-01-01T00:00:00Z");
export const dayAfter = new Date("2026-01-02T00:00:00Z");
/** When the snapshots of backups were taken that are there: a day after they were due. */
export const takenAt = dayAfter.toISOString();
export const copied = { key: "a".repeat(64), diskBytes: 1, addedBytes: 1, verifiedAt: longAgo.toISOString() };

/** For tests of backups: the control plane of a host on which there is nothing, and rows as its acts leave them. */
export async function backupBed(plane: TestControlPlane, hypervisor: Hypervisor = testHypervisor()) {
  const context = await plane.hostedContextWith(hypervisor);
  await context.db.execute(sql`truncate vms cascade`);
  await context.db.delete(backupRepositories);
  return { context, ...rowsOf(context) };
}
export type BackupBed = Awaited<ReturnType<typeof backupBed>>;

function rowsOf(context: Context) {
  const { db } = context;
  return {
    async runningVm(name: string): Promise<number> {
      const input = createVmSchema.parse({ name, image: "mini", size: "nano" });
      const { id } = await createVm(context, systemActor, input, name);
      await convergeVm(context, id);
      return id;
    },

    async addRepository(name: string): Promise<number> {
      const access = { place: { kind: "folder" as const, path: "/mnt" }, password: "correct horse" };
      const [row] = await db.insert(backupRepositories).values({ name, access }).returning();
      return row?.id ?? 0;
    },

    async addPolicy(vmId: number, values: Partial<typeof backupPolicies.$inferInsert> = {}): Promise<void> {
      await db.insert(backupPolicies).values({ vmId, policy: hourly, hourlyAt: new Date("2100-01-01"), ...values });
    },

    /** A run whose snapshot is there. */
    async addBackup(vmId: number, values: Partial<typeof backups.$inferInsert> = {}): Promise<BackupRow> {
      const machine = { vcpus: 1, memoryBytes: 256 * 1024 ** 2, firmware: "bios" };
      const manifest = { machine, virtualBytes: 2 * 1024 ** 3, createdAt: takenAt } as SnapshotManifest;
      const [snapshot] = await db
        .insert(snapshots)
        .values({ vmId, name: crypto.randomUUID(), origin: "schedule", hasMemory: false, manifest })
        .returning();
      const run = { vmId, tier: "hourly" as const, dueAt: longAgo, snapshotId: snapshot?.id ?? 0, actor: "system" };
      const [row] = await db
        .insert(backups)
        .values({ ...run, ...values })
        .returning();
      if (!row) throw new Error("The backup could not be written.");
      return row;
    },

    backupRow: async (id: number) => (await db.select().from(backups).where(eq(backups.id, id)))[0],

    async snapshotOf({ snapshotId }: BackupRow) {
      const [row] = await db
        .select()
        .from(snapshots)
        .where(eq(snapshots.id, snapshotId ?? 0));
      return row;
    },

    async tasksOf(vmId: number, kind: OperationRow["kind"]): Promise<OperationRow[]> {
      return (await db.select().from(operations).where(eq(operations.vmId, vmId))).filter((row) => row.kind === kind);
    },

    /** The open task of a kind has ended, as the host says. */
    async end(kind: OperationRow["kind"], result: { done: unknown } | { failed: string }): Promise<void> {
      const rows = await db.select().from(operations).where(eq(operations.kind, kind));
      const open = rows.find(({ finishedAt }) => finishedAt === null);
      if (!open) throw new Error(`There is no open ${kind}.`);
      const end =
        "failed" in result
          ? { status: "failed" as const, result: null, error: { message: result.failed } }
          : { status: "done" as const, result: result.done, error: null };
      await endTask(context, open, end);
    },

    /** As if that much time had passed since all operations that have ended. */
    async waitFor(interval: string): Promise<void> {
      await db.update(operations).set({ finishedAt: sql`${operations.finishedAt} - ${interval}::interval` });
    },
  };
}
