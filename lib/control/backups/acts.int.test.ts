import { eq, inArray } from "drizzle-orm";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { backupPolicies, backupRepositories, backups } from "../../db/schema/backups";
import { operations } from "../../db/schema/operations";
import { snapshots, vms } from "../../db/schema/vms";
import { systemActor } from "../context";
import { deleteSnapshot } from "../snapshots/remove";
import { testControlPlane } from "../testControlPlane";
import { destroyVm } from "../vms/destroy";
import { copyWaiting } from "./copy";
import { copyAgain } from "./copyAgain";
import { backUpNow } from "./manual";
import { putPolicy } from "./policies";
import { removeStoredBackup } from "./removeStored";
import { createRepository, forgetRepository, listRepositories } from "./repositories";
import { restoreBackup } from "./restore";
import { type BackupBed, backupBed, copied, dayAfter, hourly } from "./testing/backupBed";
import { listBackups } from "./view";

const plane = testControlPlane();
let bed: BackupBed;

beforeEach(async () => {
  bed = await backupBed(plane);
});

test("two who back a VM up in the same second get a backup each; the same request sent again, the same one", async () => {
  const vmId = await bed.runningVm("asked-twice");
  const repositoryId = await bed.addRepository("Far away");
  const ask = (key: string | null) => backUpNow(bed.context, systemActor, vmId, repositoryId, key);
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-28T10:00:00.100Z") });
  onTestFinished(() => void vi.useRealTimers());
  const first = await ask("one");
  vi.setSystemTime(new Date("2026-11-28T10:00:00.900Z"));
  const second = await ask(null);
  expect(second.id).not.toBe(first.id);
  expect((await bed.tasksOf(vmId, "snapshot-take")).map(({ subject }) => subject).toSorted()).toEqual([
    "backup 2026-11-28 10:00:00",
    "backup 2026-11-28 10:00:00 (2)",
  ]);
  const origins = await bed.context.db.select({ origin: snapshots.origin }).from(snapshots);
  expect(origins).toEqual([{ origin: "backup" }, { origin: "backup" }]);
  expect((await ask("one")).id).toBe(first.id);
  expect(await bed.tasksOf(vmId, "snapshot-take")).toHaveLength(2);
});

test("no policy copies to a repository that is being forgotten", async () => {
  const vmId = await bed.runningVm("late");
  const id = await bed.addRepository("Going");
  const { put } = await bed.context.db.transaction(async (tx) => {
    await tx.delete(backupRepositories).where(eq(backupRepositories.id, id));
    const put = putPolicy(bed.context, vmId, { ...hourly, repository: id });
    put.catch(() => undefined);
    await plane.waitingForLock(1);
    return { put };
  });
  await expect(put).rejects.toMatchObject({ code: "bad_request", fields: { repository: expect.any(String) } });
  expect(await bed.context.db.$count(backupPolicies)).toBe(0);
});

test("a place is no second repository under another name", async () => {
  await bed.addRepository("First");
  const place = { kind: "folder", path: "/mnt/" } as const;
  await expect(
    createRepository(bed.context, { name: "Second", password: "correct horse", place }),
  ).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining("First"),
    fields: { "place.path": expect.any(String) },
  });
});

test("a place that two add at the same moment under two names is one repository", async () => {
  let arrived = 0;
  const making = vi.spyOn(bed.context.agent, "makeRepository").mockImplementation(async () => {
    arrived += 1;
    await vi.waitUntil(() => arrived === 2, { timeout: 60_000 });
  });
  onTestFinished(() => making.mockRestore());
  const place = { kind: "folder", path: "/mnt/twice" } as const;
  const add = (name: string) => createRepository(bed.context, { name, password: "correct horse", place });
  const ends = await Promise.allSettled([add("First"), add("Second")]);
  expect(ends.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(ends.find((end) => end.status === "rejected")?.reason).toMatchObject({
    code: "conflict",
    fields: { "place.path": expect.any(String) },
  });
  expect(await listRepositories(bed.context)).toHaveLength(1);
});

test("a repository to which a policy is about to copy is not forgotten", async () => {
  const vmId = await bed.runningVm("early");
  const id = await bed.addRepository("Wanted");
  const { forget } = await bed.context.db.transaction(async (tx) => {
    await tx.select().from(backupRepositories).where(eq(backupRepositories.id, id)).for("key share");
    const forget = forgetRepository(bed.context, id);
    forget.catch(() => undefined);
    await plane.waitingForLock(1);
    await tx.insert(backupPolicies).values({ vmId, policy: { ...hourly, repository: id } });
    return { forget };
  });
  await expect(forget).rejects.toMatchObject({ code: "conflict" });
  expect(await bed.context.db.$count(backupRepositories)).toBe(1);
});

test("a destroyed VM takes its policy along, and keeps nobody from forgetting the repository", async () => {
  const vmId = await bed.runningVm("goes");
  const id = await bed.addRepository("Stays");
  await putPolicy(bed.context, vmId, { ...hourly, repository: id });
  await destroyVm(bed.context, systemActor, vmId, { withSnapshots: false });
  expect(await bed.context.db.$count(backupPolicies)).toBe(0);
  await expect(putPolicy(bed.context, vmId, hourly)).rejects.toMatchObject({ code: "wrong_state" });
  await forgetRepository(bed.context, id);
});

test("a policy that an earlier version left with a destroyed VM doesn't count", async () => {
  const vmId = await bed.runningVm("gone");
  const id = await bed.addRepository("Stays");
  await bed.addPolicy(vmId, { policy: { ...hourly, repository: id } });
  await bed.context.db
    .update(vms)
    .set({ desired: "deleted", observed: "absent", deletedAt: new Date() })
    .where(eq(vms.id, vmId));
  expect(await listRepositories(bed.context)).toMatchObject([{ policyCount: 0 }]);
  await forgetRepository(bed.context, id);
  expect(await bed.context.db.$count(backupRepositories)).toBe(0);
});

test("a repository to which a backup is on its way is not forgotten before that has ended", async () => {
  const vmId = await bed.runningVm("on-its-way");
  const id = await bed.addRepository("Wanted");
  const backup = await bed.addBackup(vmId, { repositoryId: id });
  const refused = { code: "conflict", message: expect.stringContaining("on-its-way") };
  await expect(forgetRepository(bed.context, id)).rejects.toMatchObject(refused);
  await copyWaiting(bed.context);
  await expect(forgetRepository(bed.context, id)).rejects.toMatchObject(refused);
  await bed.end("backup", { done: copied });
  await forgetRepository(bed.context, id);
  expect(await bed.backupRow(backup.id)).toMatchObject({ repositoryId: null, copy: null });
});

test("a copy that failed says why, and is tried again when somebody asks, from the snapshot that is there", async () => {
  const vmId = await bed.runningVm("again");
  const repositoryId = await bed.addRepository("Back again");
  const backup = await bed.addBackup(vmId, { repositoryId });
  await copyWaiting(bed.context);
  await bed.end("backup", { failed: "The repository is away." });
  const shown = (await listBackups(bed.context, vmId))[0];
  expect(shown).toMatchObject({ status: "failed", error: "It was not copied. The repository is away." });
  const again = () => copyAgain(bed.context, systemActor, vmId, backup.id);
  expect(await again()).toMatchObject({ status: "copying", error: null });
  await expect(again()).rejects.toMatchObject({ code: "wrong_state", allowed: ["failed"] });
  await copyWaiting(bed.context);
  await bed.end("backup", { done: copied });
  expect(await listBackups(bed.context, vmId)).toMatchObject([{ status: "done", copy: copied }]);
});

test("a copy that somebody else asks for at the same moment is asked for once, and the other is told", async () => {
  const vmId = await bed.runningVm("raced");
  const repositoryId = await bed.addRepository("Far away");
  const backup = await bed.addBackup(vmId, { repositoryId, error: "It was not copied. The repository is away." });
  const { again } = await bed.context.db.transaction(async (tx) => {
    await tx.update(backups).set({ error: null }).where(eq(backups.id, backup.id));
    const again = copyAgain(bed.context, systemActor, vmId, backup.id);
    again.catch(() => undefined);
    await plane.waitingForLock(1);
    return { again };
  });
  await expect(again).rejects.toMatchObject({ code: "conflict" });
});

test("a copy that failed is not tried again without its snapshot, nor without its repository", async () => {
  const vmId = await bed.runningVm("in-vain");
  const repositoryId = await bed.addRepository("Forgotten");
  const error = "It was not copied. The repository is away.";
  const emptied = await bed.addBackup(vmId, { repositoryId, error });
  const forgotten = await bed.addBackup(vmId, { repositoryId, error, dueAt: dayAfter });
  await deleteSnapshot(bed.context, systemActor, emptied.snapshotId ?? 0);
  await forgetRepository(bed.context, repositoryId);
  for (const { id } of [emptied, forgotten]) {
    await expect(copyAgain(bed.context, systemActor, vmId, id)).rejects.toMatchObject({ code: "conflict" });
    expect(await bed.backupRow(id)).toMatchObject({ error });
  }
});

test("a backup whose snapshot could not be taken says why", async () => {
  const vmId = await bed.runningVm("full");
  await backUpNow(bed.context, systemActor, vmId, await bed.addRepository("Far away"), null);
  await bed.end("snapshot-take", { failed: "The host's disk is full." });
  expect(await listBackups(bed.context, vmId)).toMatchObject([
    { status: "failed", error: "Its snapshot was not taken. The host's disk is full." },
  ]);
});

test("the image of a restored backup takes over no other image's name", async () => {
  const repositoryId = await bed.addRepository("Far away");
  const ask = (key: string) => restoreBackup(bed.context, systemActor, repositoryId, { key, name: "mini" });
  await ask("a".repeat(64));
  await ask("b".repeat(64));
  const rows = await bed.context.db.select().from(operations).where(eq(operations.kind, "backup-restore"));
  expect(rows.map(({ taskParams }) => taskParams?.imageName).toSorted()).toEqual(["mini-2", "mini-3"]);
});

test("two backups that are restored by one name at once get images of different names", async () => {
  const repositoryId = await bed.addRepository("Far away");
  const ask = (key: string) => restoreBackup(bed.context, systemActor, repositoryId, { key, name: "twin" });
  const asked = await Promise.all(["a", "b", "c"].map((letter) => ask(letter.repeat(64))));
  const ids = asked.map(({ id }) => id);
  const rows = await bed.context.db.select().from(operations).where(inArray(operations.id, ids));
  expect(rows.map(({ taskParams }) => taskParams?.imageName).toSorted()).toEqual(["twin", "twin-2", "twin-3"]);
});

test("a copy of a VM that is gone is taken out of its repository, and no copy that is being restored", async () => {
  const repositoryId = await bed.addRepository("Far away");
  const stored = { key: copied.key, vmName: "gone", takenAt: copied.verifiedAt };
  vi.spyOn(bed.context.agent, "listBackups").mockResolvedValue([stored]);
  const remove = (key: string) => removeStoredBackup(bed.context, systemActor, repositoryId, key);
  await expect(remove("b".repeat(64))).rejects.toMatchObject({ code: "not_found" });
  await restoreBackup(bed.context, systemActor, repositoryId, { key: copied.key, name: "gone" });
  await expect(remove(copied.key)).rejects.toMatchObject({ code: "conflict" });
  await bed.end("backup-restore", { failed: "Nobody wanted it." });
  const { id } = await remove(copied.key);
  expect((await remove(copied.key)).id).toBe(id);
});

test("a backup whose copy is taken out of its repository is its snapshot, and none without one", async () => {
  const vmId = await bed.runningVm("half");
  const repositoryId = await bed.addRepository("Far away");
  const other = { ...copied, key: "b".repeat(64) };
  const scheduled = await bed.addBackup(vmId, { repositoryId, copy: copied });
  const byHand = await bed.addBackup(vmId, { tier: "manual", repositoryId, copy: other });
  await deleteSnapshot(bed.context, systemActor, byHand.snapshotId ?? 0);
  const stored = [copied, other].map(({ key }) => ({ key, vmName: "half", takenAt: copied.verifiedAt }));
  vi.spyOn(bed.context.agent, "listBackups").mockResolvedValue(stored);
  for (const { key } of stored) {
    await removeStoredBackup(bed.context, systemActor, repositoryId, key);
    await bed.end("backup-remove", { done: null });
  }
  expect(await listBackups(bed.context, vmId)).toMatchObject([{ id: scheduled.id, status: "done", copy: null }]);
});

test("a forgotten repository leaves no backup of which nothing is to be had any more", async () => {
  const vmId = await bed.runningVm("forgotten");
  const repositoryId = await bed.addRepository("Goes");
  const scheduled = await bed.addBackup(vmId, { repositoryId, copy: copied });
  const byHand = await bed.addBackup(vmId, { tier: "manual", repositoryId, copy: { ...copied, key: "b".repeat(64) } });
  await deleteSnapshot(bed.context, systemActor, byHand.snapshotId ?? 0);
  await forgetRepository(bed.context, repositoryId);
  expect(await listBackups(bed.context, vmId)).toMatchObject([{ id: scheduled.id, status: "done", copy: null }]);
});
