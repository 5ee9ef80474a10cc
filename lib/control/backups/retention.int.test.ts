import { randomBytes } from "node:crypto";
import { eq, inArray, sql } from "drizzle-orm";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { backups } from "../../db/schema/backups";
import { operations } from "../../db/schema/operations";
import { snapshots, vms } from "../../db/schema/vms";
import { systemActor } from "../context";
import { deleteSnapshot } from "../snapshots/remove";
import { testControlPlane } from "../testControlPlane";
import { advanceBackups } from "./advance";
import { copyEffects, copyWaiting } from "./copy";
import { retryCopyRemovals } from "./copyRemoval";
import { removeBackup } from "./remove";
import { restoreBackup } from "./restore";
import { removeExpired } from "./retention";
import { type BackupBed, backupBed, copied, dayAfter, longAgo } from "./testing/backupBed";

const plane = testControlPlane();
let bed: BackupBed;

beforeEach(async () => {
  bed = await backupBed(plane);
});

test("a backup past its retention that can't be removed keeps no other from being removed", async () => {
  const [bad, good] = [await bed.runningVm("stuck"), await bed.runningVm("free")];
  const rows = [];
  for (const vmId of [bad, good]) {
    await bed.addPolicy(vmId);
    rows.push(await bed.addBackup(vmId));
    await bed.addBackup(vmId, { dueAt: dayAfter });
  }
  await bed.context.db.execute(
    sql`create function refuse() returns trigger language plpgsql as 'begin raise exception $$no$$; end'`,
  );
  await bed.context.db.execute(
    sql.raw(
      `create trigger stuck before update on backups for each row when (old.vm_id = ${bad}) execute function refuse()`,
    ),
  );
  await advanceBackups(bed.context);
  await bed.context.db.execute(sql`drop function refuse cascade`);
  expect((await bed.backupRow(rows[0]?.id ?? 0))?.removedAt).toBeNull();
  expect((await bed.backupRow(rows[1]?.id ?? 0))?.removedAt).not.toBeNull();
});

/** Backups that are gone, whose copies are in repositories of their own still. */
async function removedCopies(vmName: string, count: number): Promise<number[]> {
  const vmId = await bed.runningVm(vmName);
  const ids = [];
  for (let number = 1; number <= count; number++) {
    const repositoryId = await bed.addRepository(`${vmName} ${number}`);
    const copy = { ...copied, key: randomBytes(32).toString("hex") };
    await bed.addBackup(vmId, { dueAt: new Date(longAgo.getTime() + number), repositoryId, copy, removedAt: longAgo });
    ids.push(repositoryId);
  }
  return ids;
}

const askedRemovals = async (repositoryIds: number[]) =>
  bed.context.db.$count(
    operations,
    inArray(
      operations.dedupKey,
      repositoryIds.map((id) => `backup-remove:${id}`),
    ),
  );

test("two consoles that ask at once for the removal of copies ask once for each repository's", async () => {
  const repositoryIds = await removedCopies("asked-twice", 5);
  await Promise.all([retryCopyRemovals(bed.context), retryCopyRemovals(bed.context)]);
  expect(await askedRemovals(repositoryIds)).toBe(5);
});

test("a repository whose removals can't be asked for keeps no other's from being asked for", async () => {
  const [bad = 0, good = 0] = await removedCopies("one-fails", 2);
  await bed.context.db.execute(
    sql`create function refuse() returns trigger language plpgsql as 'begin raise exception $$no$$; end'`,
  );
  await bed.context.db.execute(
    sql.raw(
      `create trigger stuck before insert on operations for each row when (new.dedup_key = 'backup-remove:${bad}') execute function refuse()`,
    ),
  );
  onTestFinished(async () => void (await bed.context.db.execute(sql`drop function refuse cascade`)));
  await advanceBackups(bed.context);
  expect(await askedRemovals([bad])).toBe(0);
  expect(await askedRemovals([good])).toBe(1);
});

/** A run past its retention, whose copy is under way. */
async function expiringCopy(name: string) {
  const vmId = await bed.runningVm(name);
  await bed.addPolicy(vmId);
  const backup = await bed.addBackup(vmId, { repositoryId: await bed.addRepository("Far away") });
  await copyWaiting(bed.context);
  const [copying] = await bed.tasksOf(vmId, "backup");
  if (!copying) throw new Error("The copy was not asked for.");
  await bed.addBackup(vmId, { dueAt: dayAfter });
  return { vmId, backup, copying };
}

test("a backup past its retention whose copy is under way stays until the copy is there, and goes with it", async () => {
  const { vmId, backup } = await expiringCopy("slow-copy");
  await advanceBackups(bed.context);
  expect((await bed.backupRow(backup.id))?.removedAt).toBeNull();
  await bed.end("backup", { done: copied });
  await advanceBackups(bed.context);
  expect((await bed.backupRow(backup.id))?.removedAt).not.toBeNull();
  expect(await bed.tasksOf(vmId, "backup-remove")).toMatchObject([{ taskParams: { keys: [copied.key] } }]);
});

test("a copy that ends while its backup is being removed goes with it", async () => {
  const { vmId, backup, copying } = await expiringCopy("ending-copy");
  const { removed } = await bed.context.db.transaction(async (tx) => {
    const ended = { status: "done" as const, finishedAt: new Date() };
    await tx.update(operations).set(ended).where(eq(operations.id, copying.id));
    await copyEffects.onDone(bed.context, tx, copying, copied);
    const removed = removeBackup(bed.context, systemActor, vmId, backup.id);
    await plane.waitingForLock(1);
    return { removed };
  });
  await removed;
  expect(await bed.tasksOf(vmId, "backup-remove")).toMatchObject([{ taskParams: { keys: [copied.key] } }]);
});

test("who removes a backup is told what takes its snapshot and its copy away", async () => {
  const vmId = await bed.runningVm("told");
  const repositoryId = await bed.addRepository("Told of");
  const removed = async (of: Parameters<typeof bed.addBackup>[1]) => {
    const backup = await bed.addBackup(vmId, of);
    const begun = await removeBackup(bed.context, systemActor, vmId, backup.id);
    return begun.map(({ kind }) => kind);
  };
  expect(await removed({ repositoryId, copy: copied })).toEqual(["snapshot-remove", "backup-remove"]);
  expect(await removed({ dueAt: dayAfter })).toEqual(["snapshot-remove"]);
});

test("a backup whose snapshot is being taken stays until there is something to remove", async () => {
  const vmId = await bed.runningVm("slow-snapshot");
  await bed.addPolicy(vmId);
  const backup = await bed.addBackup(vmId);
  await bed.context.db.update(snapshots).set({ manifest: null }).where(eq(snapshots.vmId, vmId));
  await bed.addBackup(vmId, { dueAt: dayAfter });
  await advanceBackups(bed.context);
  const byHand = removeBackup(bed.context, systemActor, vmId, backup.id);
  await expect(byHand).rejects.toMatchObject({ code: "wrong_state" });
  expect((await bed.backupRow(backup.id))?.removedAt).toBeNull();
});

test("two who remove the same backup at once ask the host once", async () => {
  const vmId = await bed.runningVm("twice");
  await bed.addPolicy(vmId);
  const backup = await bed.addBackup(vmId, { repositoryId: await bed.addRepository("Far away"), copy: copied });
  await bed.addBackup(vmId, { dueAt: dayAfter });
  const { both } = await bed.context.db.transaction(async (tx) => {
    await tx.select().from(backups).where(eq(backups.id, backup.id)).for("update");
    const both = [removeExpired(bed.context), removeExpired(bed.context)];
    await plane.waitingForLock(2);
    return { both };
  });
  await Promise.all(both);
  expect(await bed.tasksOf(vmId, "backup-remove")).toHaveLength(1);
});

const gone = (row: { removedAt: Date | null } | undefined) => row?.removedAt !== null;

test("no run that failed, or that may yet fail, takes the place of one that is good", async () => {
  const vmId = await bed.runningVm("keeps-one");
  await bed.addPolicy(vmId);
  const repositoryId = await bed.addRepository("Gone away");
  const good = await bed.addBackup(vmId, { repositoryId, copy: copied });
  const next = await bed.addBackup(vmId, { repositoryId, dueAt: dayAfter });
  await advanceBackups(bed.context);
  expect(gone(await bed.backupRow(good.id))).toBe(false);
  await bed.end("backup", { failed: "The repository is away." });
  await advanceBackups(bed.context);
  expect(gone(await bed.backupRow(good.id))).toBe(false);
  await bed.context.db.update(backups).set({ error: null, copy: copied }).where(eq(backups.id, next.id));
  await advanceBackups(bed.context);
  expect([gone(await bed.backupRow(good.id)), gone(await bed.backupRow(next.id))]).toEqual([true, false]);
});

test("a backup whose snapshot somebody deleted takes no place of one that is there", async () => {
  const vmId = await bed.runningVm("deleted-by-hand");
  await bed.addPolicy(vmId);
  const good = await bed.addBackup(vmId);
  const empty = await bed.addBackup(vmId, { dueAt: dayAfter });
  await deleteSnapshot(bed.context, systemActor, empty.snapshotId ?? 0);
  await advanceBackups(bed.context);
  expect([gone(await bed.backupRow(good.id)), gone(await bed.backupRow(empty.id))]).toEqual([false, true]);
});

test("a snapshot from which a VM is about to start outlasts its backup until the VM has its disk", async () => {
  const vmId = await bed.runningVm("parent");
  const heir = await bed.runningVm("heir");
  await bed.addPolicy(vmId);
  const backup = await bed.addBackup(vmId);
  await bed.addBackup(vmId, { dueAt: dayAfter });
  const { db } = bed.context;
  await db.update(vms).set({ fromSnapshotId: backup.snapshotId, milestones: {} }).where(eq(vms.id, heir));
  await advanceBackups(bed.context);
  expect(gone(await bed.backupRow(backup.id))).toBe(true);
  expect(await bed.snapshotOf(backup)).toMatchObject({ desired: "present" });
  await db
    .update(vms)
    .set({ milestones: { disk: longAgo.toISOString() } })
    .where(eq(vms.id, heir));
  await advanceBackups(bed.context);
  expect(await bed.snapshotOf(backup)).toMatchObject({ desired: "deleted" });
});

test("a snapshot of a removed backup that could not be deleted is tried again after ten minutes", async () => {
  const vmId = await bed.runningVm("sticky");
  const backup = await bed.addBackup(vmId);
  await removeBackup(bed.context, systemActor, vmId, backup.id);
  await bed.end("snapshot-remove", { failed: "The disk is full." });
  await advanceBackups(bed.context);
  expect(await bed.tasksOf(vmId, "snapshot-remove")).toHaveLength(1);
  await bed.waitFor("11 minutes");
  await advanceBackups(bed.context);
  expect(await bed.tasksOf(vmId, "snapshot-remove")).toHaveLength(2);
});

test("a copy by hand that failed keeps its snapshot for a day, and one that is there needs none", async () => {
  const vmId = await bed.runningVm("by-hand");
  const repositoryId = await bed.addRepository("Gone away");
  const failed = await bed.addBackup(vmId, { tier: "manual", repositoryId });
  const done = await bed.addBackup(vmId, { tier: "manual", repositoryId, copy: copied, dueAt: dayAfter });
  await copyWaiting(bed.context);
  await bed.end("backup", { failed: "The repository is away." });
  await removeExpired(bed.context);
  expect(await bed.snapshotOf(failed)).toMatchObject({ desired: "present" });
  expect(await bed.snapshotOf(done)).toMatchObject({ desired: "deleted" });
  await bed.waitFor("25 hours");
  await removeExpired(bed.context);
  expect(await bed.snapshotOf(failed)).toMatchObject({ desired: "deleted" });
});

test("a copy that could not be removed is tried again each day, until its repository has it no more", async () => {
  const vmId = await bed.runningVm("away");
  const repositoryId = await bed.addRepository("Gone away");
  const backup = await bed.addBackup(vmId, { repositoryId, copy: copied });
  await removeBackup(bed.context, systemActor, vmId, backup.id);
  await bed.end("backup-remove", { failed: "The repository is away." });
  const removals = () => bed.context.db.$count(operations, eq(operations.kind, "backup-remove"));
  await advanceBackups(bed.context);
  expect(await removals()).toBe(1);
  await bed.waitFor("25 hours");
  await advanceBackups(bed.context);
  await advanceBackups(bed.context);
  expect(await removals()).toBe(2);
  await bed.end("backup-remove", { done: null });
  await bed.waitFor("25 hours");
  await advanceBackups(bed.context);
  expect(await removals()).toBe(2);
});

test("a copy that is being restored is taken out of its repository by nobody before that has ended", async () => {
  const vmId = await bed.runningVm("restored");
  await bed.addPolicy(vmId);
  const repositoryId = await bed.addRepository("Far away");
  const backup = await bed.addBackup(vmId, { repositoryId, copy: copied });
  await bed.addBackup(vmId, { dueAt: dayAfter });
  await restoreBackup(bed.context, systemActor, repositoryId, { key: copied.key, name: "restored-again" });
  const byHand = removeBackup(bed.context, systemActor, vmId, backup.id);
  await expect(byHand).rejects.toMatchObject({ code: "conflict", message: expect.stringMatching(/being restored/) });
  await removeExpired(bed.context);
  expect(gone(await bed.backupRow(backup.id))).toBe(false);
  await bed.end("backup-restore", { failed: "Nobody wanted it." });
  await removeExpired(bed.context);
  expect(gone(await bed.backupRow(backup.id))).toBe(true);
});
