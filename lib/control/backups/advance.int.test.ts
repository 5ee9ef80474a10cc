import { eq, sql } from "drizzle-orm";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { backupPolicies, backups } from "../../db/schema/backups";
import { vms } from "../../db/schema/vms";
import { systemActor } from "../context";
import { convergeVm } from "../converge";
import { takeSnapshot } from "../snapshots/take";
import { endTask } from "../tasks/end";
import { testControlPlane } from "../testControlPlane";
import { destroyVm } from "../vms/destroy";
import { advanceBackups } from "./advance";
import { type BackupBed, backupBed, copied, dayAfter, hourly, longAgo, takenAt } from "./testing/backupBed";
import { listBackups } from "./view";

const plane = testControlPlane();
let bed: BackupBed;

beforeEach(async () => {
  bed = await backupBed(plane);
});

test("a VM that is destroyed before its backup is copied is copied all the same, as what it was", async () => {
  const vmId = await bed.runningVm("destroyed");
  const backup = await bed.addBackup(vmId, { tier: "manual", repositoryId: await bed.addRepository("Far away") });
  await destroyVm(bed.context, systemActor, vmId, { withSnapshots: false });
  await convergeVm(bed.context, vmId);
  await advanceBackups(bed.context);
  expect(await bed.tasksOf(vmId, "backup")).toMatchObject([
    { status: "pending", taskParams: { snapshotId: backup.snapshotId, description: { name: "destroyed" } } },
  ]);
});

test("a copy that can't be asked for has failed where people see it, and the others are copied", async () => {
  const repositoryId = await bed.addRepository("Far away");
  const [bad, good] = [await bed.runningVm("bad-copy"), await bed.runningVm("good-copy")];
  // What its VM was like can't be told.
  await bed.context.db.update(vms).set({ sshKeys: sql`'7'` }).where(eq(vms.id, bad));
  await bed.addBackup(bad, { repositoryId });
  await bed.addBackup(good, { repositoryId });
  await advanceBackups(bed.context);
  expect(await listBackups(bed.context, bad)).toMatchObject([
    { status: "failed", error: expect.stringContaining("It could not be copied.") },
  ]);
  expect(await bed.tasksOf(good, "backup")).toHaveLength(1);
});

test("a run that can't be asked for has failed where people see it, the others are made, and the next one is due", async () => {
  const [bad, good] = [await bed.runningVm("bad-run"), await bed.runningVm("good-run")];
  await bed.addPolicy(bad, { policy: { ...hourly, repository: 999 }, hourlyAt: longAgo });
  await bed.addPolicy(good, { hourlyAt: longAgo });
  const askedAtMs = Date.now();
  await advanceBackups(bed.context);
  expect(await listBackups(bed.context, bad)).toMatchObject([
    { status: "failed", tier: "hourly", error: "It could not be made. There is no backup repository 999." },
  ]);
  expect(await listBackups(bed.context, good)).toMatchObject([{ status: "taking" }]);
  const [policy] = await bed.context.db.select().from(backupPolicies).where(eq(backupPolicies.vmId, bad));
  expect(policy?.hourlyAt?.getTime()).toBeGreaterThan(askedAtMs);
});

test("a run of a VM that has failed waits an hour for it, then has failed too, and the next one is due", async () => {
  const vmId = await bed.runningVm("crashed");
  const { db } = bed.context;
  const now = Date.now();
  const seen = (observedAt: Date) => db.update(vms).set({ observedAt }).where(eq(vms.id, vmId));
  const failedFor = (minutes: number) => {
    const since = new Date(now - minutes * 60_000);
    const state = { lastError: "It ended by itself.", observedSince: since, intentAt: since };
    return db.update(vms).set(state).where(eq(vms.id, vmId));
  };
  await bed.addPolicy(vmId, { hourlyAt: new Date(now - 90 * 60_000) });
  await seen(new Date());
  await failedFor(50);
  await advanceBackups(bed.context);
  expect(await listBackups(bed.context, vmId)).toEqual([]);

  await failedFor(80);
  await seen(new Date(now - 10 * 60_000));
  await advanceBackups(bed.context);
  expect(await listBackups(bed.context, vmId), "its host is away").toEqual([]);

  await seen(new Date());
  await advanceBackups(bed.context);
  expect(await listBackups(bed.context, vmId)).toMatchObject([
    {
      status: "failed",
      error: expect.stringMatching(/^It could not be made\. A VM that is failed can't have a snapshot/),
    },
  ]);
  const [policy] = await db.select().from(backupPolicies).where(eq(backupPolicies.vmId, vmId));
  expect(policy?.hourlyAt?.getTime()).toBeGreaterThan(now);
});

test("a daily run of a VM that has failed is not given up with an hourly one that has waited for too long", async () => {
  const vmId = await bed.runningVm("crashed-by-night");
  const { db } = bed.context;
  const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);
  const state = { lastError: "It ended by itself.", observedSince: ago(90), intentAt: ago(90), observedAt: new Date() };
  await db.update(vms).set(state).where(eq(vms.id, vmId));
  const dailyAt = ago(1);
  await bed.addPolicy(vmId, { hourlyAt: ago(70), dailyAt });
  await advanceBackups(bed.context);
  expect(await listBackups(bed.context, vmId)).toMatchObject([{ tier: "hourly", status: "failed" }]);
  const [policy] = await db.select().from(backupPolicies).where(eq(backupPolicies.vmId, vmId));
  expect(policy?.dailyAt).toEqual(dailyAt);
});

test("a run whose snapshot's name is taken gets a free one, by the clock of its policy", async () => {
  const vmId = await bed.runningVm("same-name");
  const dueAt = new Date("2026-07-01T22:00:00Z");
  vi.useFakeTimers({ toFake: ["Date"], now: dueAt });
  onTestFinished(() => void vi.useRealTimers());
  await bed.addPolicy(vmId, { policy: { ...hourly, timeZone: "Europe/Berlin" }, hourlyAt: dueAt });
  await takeSnapshot(bed.context, systemActor, vmId, { name: "hourly 2026-07-02 00:00" }, null);
  await advanceBackups(bed.context);
  expect(await listBackups(bed.context, vmId)).toMatchObject([{ status: "taking", dueAt: dueAt.toISOString() }]);
  const names = (await bed.tasksOf(vmId, "snapshot-take")).map(({ subject }) => subject);
  expect(names.toSorted()).toEqual(["hourly 2026-07-02 00:00", "hourly 2026-07-02 00:00 (2)"]);
});

test("a run that is caught up says when it was taken, by its snapshot's name, to people and in its repository", async () => {
  const vmId = await bed.runningVm("off-since-monday");
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-01-09T10:00:00Z") });
  onTestFinished(() => void vi.useRealTimers());
  await bed.addPolicy(vmId, { hourlyAt: new Date("2026-01-05T03:00:00Z") });
  await advanceBackups(bed.context);
  expect(await listBackups(bed.context, vmId)).toMatchObject([{ dueAt: "2026-01-05T03:00:00.000Z", takenAt: null }]);
  expect(await bed.tasksOf(vmId, "snapshot-take")).toMatchObject([
    { subject: "hourly 2026-01-05 03:00, taken 2026-01-09 10:00" },
  ]);

  const other = await bed.runningVm("taken-late");
  await bed.addBackup(other, { repositoryId: await bed.addRepository("Far away") });
  await advanceBackups(bed.context);
  expect(await listBackups(bed.context, other)).toMatchObject([{ dueAt: longAgo.toISOString(), takenAt }]);
  expect(await bed.tasksOf(other, "backup")).toMatchObject([{ taskParams: { description: { takenAt } } }]);
});

test("a backup that is removed at the moment when it is to be copied is not copied", async () => {
  const vmId = await bed.runningVm("removed");
  const backup = await bed.addBackup(vmId, { repositoryId: await bed.addRepository("Far away") });
  const { advance } = await bed.context.db.transaction(async (tx) => {
    await tx.update(backups).set({ removedAt: new Date() }).where(eq(backups.id, backup.id));
    const advance = advanceBackups(bed.context);
    await plane.waitingForLock(1);
    return { advance };
  });
  await advance;
  expect(await bed.tasksOf(vmId, "backup")).toHaveLength(0);
});

test("a copy that failed is tried again by itself after an hour, and then when its repository has answered", async () => {
  const vmId = await bed.runningVm("again");
  const repositoryId = await bed.addRepository("Comes back");
  const tries = async () => (await bed.tasksOf(vmId, "backup")).length;
  const fail = () => bed.end("backup", { failed: "The repository is away." });
  /** By which the host finds what an earlier try has left. */
  const mark = async () => {
    const open = (await bed.tasksOf(vmId, "backup")).find(({ finishedAt }) => finishedAt === null);
    return (open?.taskParams as { mark?: string } | undefined)?.mark;
  };
  await bed.addBackup(vmId, { repositoryId });
  await advanceBackups(bed.context);
  const first = await mark();
  expect(first).toMatch(/^\d+-\d+$/);
  await fail();
  await advanceBackups(bed.context);
  expect(await tries()).toBe(1);
  await bed.waitFor("61 minutes");
  await advanceBackups(bed.context);
  expect(await tries()).toBe(2);
  expect(await mark()).toBe(first);
  await fail();
  await bed.waitFor("1 day");
  await advanceBackups(bed.context);
  expect(await tries()).toBe(2);
  const copy = { ...copied, verifiedAt: new Date().toISOString() };
  await bed.addBackup(await bed.runningVm("other"), { repositoryId, copy });
  await advanceBackups(bed.context);
  expect(await tries()).toBe(3);
  await fail();
  await bed.waitFor("1 day");
  await advanceBackups(bed.context);
  expect(await tries()).toBe(3);
});

test("a copy that failed is not tried again by itself for which newer ones leave no place, nor one that was cancelled", async () => {
  const repositoryId = await bed.addRepository("Comes back");
  const [passed, cancelled] = [await bed.runningVm("passed"), await bed.runningVm("cancelled")];
  await bed.addPolicy(passed);
  for (const vmId of [passed, cancelled]) await bed.addBackup(vmId, { repositoryId });
  await advanceBackups(bed.context);
  for (const status of ["failed", "cancelled"] as const) {
    const [open] = await bed.tasksOf(status === "failed" ? passed : cancelled, "backup");
    if (open) await endTask(bed.context, open, { status, result: null, error: null });
  }
  await bed.addBackup(passed, { repositoryId, copy: copied, dueAt: dayAfter });
  await bed.waitFor("61 minutes");
  await advanceBackups(bed.context);
  for (const vmId of [passed, cancelled]) expect(await bed.tasksOf(vmId, "backup")).toHaveLength(1);
  expect(await listBackups(bed.context, cancelled)).toMatchObject([{ error: "It was not copied. Cancelled." }]);
});
