import { randomBytes } from "node:crypto";
import { cpSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { and, eq, isNull } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import { archivedVm } from "../../archives/testing/tar";
import { makeRepository } from "../../backups/repository";
import { runRestic } from "../../backups/restic";
import { keepCopy } from "../../backups/store";
import { diskOf, folder, folderAccess, s3Access } from "../../backups/testing/places";
import { backups } from "../../db/schema/backups";
import type { RepositoryAccess } from "../../domain/backup";
import { testControlPlane } from "../testControlPlane";
import { changeRepository } from "./changeRepository";
import { createRepository, getRepositoryRow, listRepositories } from "./repositories";
import { type BackupBed, backupBed, copied, dayAfter } from "./testing/backupBed";

const plane = testControlPlane();
let bed: BackupBed;

beforeEach(async () => {
  bed = await backupBed(plane);
});

/** A repository that is known, with a backup of a VM in it. */
async function withBackup(name: string, access: RepositoryAccess): Promise<number> {
  const { id } = await createRepository(bed.context, { name, ...access });
  const report = { progress() {}, log() {} };
  const { signal } = new AbortController();
  const copy = await keepCopy(access, diskOf(randomBytes(1000)), archivedVm, report, signal);
  await bed.addBackup(await bed.runningVm(`vm-${crypto.randomUUID()}`), { repositoryId: id, copy });
  return id;
}

const accessOf = async (id: number) => (await getRepositoryRow(bed.context.db, id)).access;

test("a repository that was moved is found at its new place, and no other one is taken for it", async () => {
  const old = join(folder(), "old");
  const moved = `${old}-moved`;
  renameSync(folder(), old);
  const id = await withBackup("Disk", folderAccess(old));
  renameSync(old, moved);
  const change = (path: string) => changeRepository(bed.context, id, { place: { kind: "folder", path } });

  const other = folder();
  await makeRepository(folderAccess(other));
  await expect(change(other)).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining("another repository"),
    fields: { "place.path": expect.any(String) },
  });
  await expect(change(folder())).rejects.toMatchObject({
    code: "bad_request",
    fields: { "place.path": expect.stringContaining("no repository") },
  });
  expect(await accessOf(id)).toEqual(folderAccess(old));

  expect(await change(moved)).toMatchObject({
    id,
    name: "Disk",
    location: moved,
    place: { kind: "folder", path: moved },
  });
  expect(await accessOf(id)).toEqual(folderAccess(moved));
}, 120_000);

test("a repository isn't moved to where a backup of it is missing, nor while one is on its way to the old place", async () => {
  const old = join(folder(), "old");
  renameSync(folder(), old);
  const id = await withBackup("Disk", folderAccess(old));
  const moved = `${old}-copy`;
  cpSync(old, moved, { recursive: true });
  const change = () => changeRepository(bed.context, id, { place: { kind: "folder", path: moved } });

  const vmId = await bed.runningVm(`vm-${crypto.randomUUID()}`);
  await bed.addBackup(vmId, { repositoryId: id, copy: copied });
  await expect(change()).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringMatching(/^1 of the 2 backups .* are not there/),
  });
  await bed.context.db.update(backups).set({ removedAt: new Date() }).where(eq(backups.vmId, vmId));

  await bed.addBackup(vmId, { repositoryId: id, dueAt: dayAfter });
  await expect(change()).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringMatching(/^A backup of vm-.* is on its way to the present place of Disk/),
  });
  expect(await changeRepository(bed.context, id, { name: "Disk B" })).toMatchObject({ name: "Disk B", location: old });
  await bed.context.db
    .update(backups)
    .set({ error: "cancelled" })
    .where(and(eq(backups.vmId, vmId), isNull(backups.copy)));
  expect(await change()).toMatchObject({ location: moved });
}, 120_000);

test("a password that was changed there is kept once it opens the repository, and a new name with it", async () => {
  const access = folderAccess(folder());
  const id = await withBackup("Disk", access);
  const file = join(folder(), "password");
  writeFileSync(file, "battery staple");
  await runRestic(access, ["key", "passwd", "--new-password-file", file]);
  await expect(changeRepository(bed.context, id, { password: "another one" })).rejects.toMatchObject({
    code: "bad_request",
    fields: { password: expect.any(String) },
  });
  const changed = await changeRepository(bed.context, id, { name: "New disk", password: "battery staple" });
  expect(changed.name).toBe("New disk");
  expect(await accessOf(id)).toEqual({ ...access, password: "battery staple" });
}, 120_000);

test("a bucket's secret key stays when none is given, and nobody is told it", async () => {
  const { access, server } = await s3Access();
  const id = await withBackup("Bucket", access);
  const { secretAccessKey, ...place } = access.place;
  const { prefix, ...rotated } = { ...place, accessKeyId: "the-next-key" };
  server.secrets.set(rotated.accessKeyId, secretAccessKey);
  await changeRepository(bed.context, id, { place: rotated });
  expect(prefix).not.toBe("");
  expect([...server.accessKeys]).toContain("the-next-key");
  expect(await accessOf(id)).toEqual({ ...access, place: { ...place, accessKeyId: "the-next-key", secretAccessKey } });
  expect(JSON.stringify(await listRepositories(bed.context))).not.toContain(secretAccessKey);
}, 120_000);

test("a name or a place that another repository has is refused, and so is a bucket without a secret key", async () => {
  const [id, other] = [await bed.addRepository("First"), await bed.addRepository("Second")];
  await expect(changeRepository(bed.context, id, { name: "Second" })).rejects.toMatchObject({
    code: "conflict",
    fields: { name: expect.any(String) },
  });
  await expect(
    changeRepository(bed.context, other, { place: { kind: "folder", path: "/mnt/" } }),
  ).rejects.toMatchObject({ code: "conflict", fields: { "place.path": expect.any(String) } });
  const bucket = { kind: "s3", endpoint: "http://127.0.0.1:1", bucket: "b-1", prefix: "", accessKeyId: "a" } as const;
  await expect(changeRepository(bed.context, id, { place: bucket })).rejects.toMatchObject({
    code: "bad_request",
    fields: { "place.secretAccessKey": expect.any(String) },
  });
  await expect(changeRepository(bed.context, 999_999, { name: "None" })).rejects.toMatchObject({ code: "not_found" });
});
