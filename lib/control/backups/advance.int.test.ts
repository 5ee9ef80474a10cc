import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { testHypervisor } from "../../agent/testAgent";
import { backupPolicies, backupRepositories, backups } from "../../db/schema/backups";
import { operations } from "../../db/schema/operations";
import { snapshots, vms } from "../../db/schema/vms";
import type { BackupPolicy } from "../../domain/backupPolicy";
import type { SnapshotManifest } from "../../domain/snapshotManifest";
import { createVmSchema } from "../../domain/vm";
import { type Context, systemActor } from "../context";
import { convergeVm } from "../converge";
import { ensureBaseRows, refreshHost } from "../hosts";
import { endTask } from "../tasks/end";
import { startTestControlPlane, type TestControlPlane } from "../testControlPlane";
import { createVm } from "../vms/create";
import { destroyVm } from "../vms/destroy";
import { advanceBackups } from "./advance";
import { copyEffects, copyWaiting } from "./copy";
import { putPolicy } from "./policies";
import { forgetRepository } from "./repositories";
import { removeBackup, removeExpired } from "./retention";
import { listBackups } from "./view";

const hourly: BackupPolicy = {
  timeZone: "UTC",
  hourly: { minute: 0, keep: 1 },
  daily: null,
  weekly: null,
  repository: null,
};
const longAgo = new Date("2026-01-01T00:00:00Z");

let plane: TestControlPlane;
let context: Context;

beforeAll(async () => {
  plane = await startTestControlPlane();
});
afterAll(async () => {
  await plane.close();
});
beforeEach(async () => {
  context = await plane.contextWith(testHypervisor());
  await ensureBaseRows(context);
  await refreshHost(context);
  await context.db.execute(sql`truncate vms cascade`);
  await context.db.delete(backupRepositories);
});

async function runningVm(name: string): Promise<number> {
  const input = createVmSchema.parse({ name, image: "mini", size: "nano" });
  const { id } = await createVm(context, systemActor, input, name);
  await convergeVm(context, id);
  return id;
}

async function addRepository(name: string): Promise<number> {
  const access = { place: { kind: "folder" as const, path: "/mnt" }, password: "correct horse" };
  const [row] = await context.db.insert(backupRepositories).values({ name, access }).returning();
  return row?.id ?? 0;
}

async function addPolicy(vmId: number, values: Partial<typeof backupPolicies.$inferInsert> = {}): Promise<void> {
  await context.db.insert(backupPolicies).values({ vmId, policy: hourly, hourlyAt: new Date("2100-01-01"), ...values });
}

/** A run whose snapshot is there. */
async function addBackup(
  vmId: number,
  values: Partial<typeof backups.$inferInsert> = {},
): Promise<typeof backups.$inferSelect> {
  const [snapshot] = await context.db
    .insert(snapshots)
    .values({ vmId, name: crypto.randomUUID(), origin: "schedule", hasMemory: false, manifest: {} as SnapshotManifest })
    .returning();
  const run = { vmId, tier: "hourly" as const, dueAt: longAgo, snapshotId: snapshot?.id ?? 0, actor: "system" };
  const [row] = await context.db
    .insert(backups)
    .values({ ...run, ...values })
    .returning();
  if (!row) throw new Error("The backup could not be written.");
  return row;
}

const backupRow = async (id: number) => (await context.db.select().from(backups).where(eq(backups.id, id)))[0];
const tasksOf = async (vmId: number, kind: "backup" | "backup-remove") =>
  (await context.db.select().from(operations).where(eq(operations.vmId, vmId))).filter((row) => row.kind === kind);

test("a VM that is destroyed before its backup is copied is copied all the same, as what it was", async () => {
  const vmId = await runningVm("destroyed");
  const backup = await addBackup(vmId, { tier: "manual", repositoryId: await addRepository("Far away") });
  await destroyVm(context, systemActor, vmId, { withSnapshots: false });
  await convergeVm(context, vmId);
  await advanceBackups(context);
  expect(await tasksOf(vmId, "backup")).toMatchObject([
    { status: "pending", taskParams: { snapshotId: backup.snapshotId, description: { name: "destroyed" } } },
  ]);
});

test("a copy that can't be asked for has failed where people see it, and the others are copied", async () => {
  const repositoryId = await addRepository("Far away");
  const [bad, good] = [await runningVm("bad-copy"), await runningVm("good-copy")];
  // What its VM was like can't be told.
  await context.db.update(vms).set({ sshKeys: sql`'7'` }).where(eq(vms.id, bad));
  await addBackup(bad, { repositoryId });
  await addBackup(good, { repositoryId });
  await advanceBackups(context);
  expect(await listBackups(context, bad)).toMatchObject([
    { status: "failed", error: expect.stringContaining("It could not be copied.") },
  ]);
  expect(await tasksOf(good, "backup")).toHaveLength(1);
});

test("a run that can't be asked for has failed where people see it, the others are made, and the next one is due", async () => {
  const [bad, good] = [await runningVm("bad-run"), await runningVm("good-run")];
  await addPolicy(bad, { policy: { ...hourly, repository: 999 }, hourlyAt: longAgo });
  await addPolicy(good, { hourlyAt: longAgo });
  await advanceBackups(context);
  expect(await listBackups(context, bad)).toMatchObject([
    { status: "failed", tier: "hourly", error: "It could not be made. There is no backup repository 999." },
  ]);
  expect(await listBackups(context, good)).toMatchObject([{ status: "taking" }]);
  const [policy] = await context.db.select().from(backupPolicies).where(eq(backupPolicies.vmId, bad));
  expect(policy?.hourlyAt?.getTime()).toBeGreaterThan(Date.now());
});

test("a backup past its retention that can't be removed keeps no other from being removed", async () => {
  const [bad, good] = [await runningVm("stuck"), await runningVm("free")];
  const rows = [];
  for (const vmId of [bad, good]) {
    await addPolicy(vmId);
    rows.push(await addBackup(vmId));
    await addBackup(vmId, { dueAt: new Date("2026-01-02T00:00:00Z") });
  }
  await context.db.execute(
    sql`create function refuse() returns trigger language plpgsql as 'begin raise exception $$no$$; end'`,
  );
  await context.db.execute(
    sql.raw(
      `create trigger stuck before update on backups for each row when (old.vm_id = ${bad}) execute function refuse()`,
    ),
  );
  await advanceBackups(context);
  await context.db.execute(sql`drop function refuse cascade`);
  expect((await backupRow(rows[0]?.id ?? 0))?.removedAt).toBeNull();
  expect((await backupRow(rows[1]?.id ?? 0))?.removedAt).not.toBeNull();
});

const copied = { key: "a".repeat(64), diskBytes: 1, addedBytes: 1, verifiedAt: longAgo.toISOString() };
const ofCopy = { keys: [copied.key] };

/** A run past its retention, whose copy is under way. */
async function expiringCopy(name: string) {
  const vmId = await runningVm(name);
  await addPolicy(vmId);
  const backup = await addBackup(vmId, { repositoryId: await addRepository("Far away") });
  await copyWaiting(context);
  const [copying] = await tasksOf(vmId, "backup");
  if (!copying) throw new Error("The copy was not asked for.");
  await addBackup(vmId, { dueAt: new Date("2026-01-02T00:00:00Z") });
  return { vmId, backup, copying };
}

test("a backup past its retention whose copy is under way stays until the copy is there, and goes with it", async () => {
  const { vmId, backup, copying } = await expiringCopy("slow-copy");
  await advanceBackups(context);
  expect((await backupRow(backup.id))?.removedAt).toBeNull();
  await endTask(context, copying, { status: "done", result: copied, error: null });
  await advanceBackups(context);
  expect((await backupRow(backup.id))?.removedAt).not.toBeNull();
  expect(await tasksOf(vmId, "backup-remove")).toMatchObject([{ taskParams: ofCopy }]);
});

test("a copy that ends while its backup is being removed goes with it", async () => {
  const { vmId, copying } = await expiringCopy("ending-copy");
  const { advance } = await context.db.transaction(async (tx) => {
    const ended = { status: "done" as const, finishedAt: new Date() };
    await tx.update(operations).set(ended).where(eq(operations.id, copying.id));
    await copyEffects.onDone(context, tx, copying, copied);
    const advance = advanceBackups(context);
    await plane.waitingForLock(1);
    return { advance };
  });
  await advance;
  expect(await tasksOf(vmId, "backup-remove")).toMatchObject([{ taskParams: ofCopy }]);
});

test("a backup whose snapshot is being taken stays until there is something to remove", async () => {
  const vmId = await runningVm("slow-snapshot");
  await addPolicy(vmId);
  const backup = await addBackup(vmId);
  await context.db.update(snapshots).set({ manifest: null }).where(eq(snapshots.vmId, vmId));
  await addBackup(vmId, { dueAt: new Date("2026-01-02T00:00:00Z") });
  await advanceBackups(context);
  const byHand = removeBackup(context, systemActor, vmId, backup.id);
  await expect(byHand).rejects.toMatchObject({ code: "wrong_state" });
  expect((await backupRow(backup.id))?.removedAt).toBeNull();
});

test("two who remove the same backup at once ask the host once", async () => {
  const vmId = await runningVm("twice");
  await addPolicy(vmId);
  const backup = await addBackup(vmId, { repositoryId: await addRepository("Far away"), copy: copied });
  await addBackup(vmId, { dueAt: new Date("2026-01-02T00:00:00Z") });
  const { both } = await context.db.transaction(async (tx) => {
    await tx.select().from(backups).where(eq(backups.id, backup.id)).for("update");
    const both = [removeExpired(context), removeExpired(context)];
    await plane.waitingForLock(2);
    return { both };
  });
  await Promise.all(both);
  expect(await tasksOf(vmId, "backup-remove")).toHaveLength(1);
});

test("a backup that is removed at the moment when it is to be copied is not copied", async () => {
  const vmId = await runningVm("removed");
  const backup = await addBackup(vmId, { repositoryId: await addRepository("Far away") });
  const { advance } = await context.db.transaction(async (tx) => {
    await tx.update(backups).set({ removedAt: new Date() }).where(eq(backups.id, backup.id));
    const advance = advanceBackups(context);
    await plane.waitingForLock(1);
    return { advance };
  });
  await advance;
  expect(await tasksOf(vmId, "backup")).toHaveLength(0);
});

test("no policy copies to a repository that is being forgotten", async () => {
  const vmId = await runningVm("late");
  const id = await addRepository("Going");
  const { put } = await context.db.transaction(async (tx) => {
    await tx.delete(backupRepositories).where(eq(backupRepositories.id, id));
    const put = putPolicy(context, vmId, { ...hourly, repository: id });
    put.catch(() => undefined);
    await plane.waitingForLock(1);
    return { put };
  });
  await expect(put).rejects.toMatchObject({ code: "bad_request", fields: { repository: expect.any(String) } });
  expect(await context.db.$count(backupPolicies)).toBe(0);
});

test("a repository to which a policy is about to copy is not forgotten", async () => {
  const vmId = await runningVm("early");
  const id = await addRepository("Wanted");
  const { forget } = await context.db.transaction(async (tx) => {
    await tx.select().from(backupRepositories).where(eq(backupRepositories.id, id)).for("key share");
    const forget = forgetRepository(context, id);
    forget.catch(() => undefined);
    await plane.waitingForLock(1);
    await tx.insert(backupPolicies).values({ vmId, policy: { ...hourly, repository: id } });
    return { forget };
  });
  await expect(forget).rejects.toMatchObject({ code: "conflict" });
  expect(await context.db.$count(backupRepositories)).toBe(1);
});
