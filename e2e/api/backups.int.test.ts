import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { folderAccess, s3Access } from "../../lib/backups/testing/places";
import { connectionConfig } from "../../lib/db/client";
import type { Backup, BackupRepository, RepositoryAccess, StoredBackup } from "../../lib/domain/backup";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { type Stack, startStack, until } from "../stack";

let stack: Stack;
let database: pg.Client;
let folder: string;
let vm: Vm;

beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
  database = new pg.Client(connectionConfig(stack.settings));
  await database.connect();
  folder = mkdtempSync(join(tmpdir(), "backups-"));
  vm = (await stack.api<Vm>("POST", "/api/vms?wait=ready", { name: "web-1", image: "mini", size: "nano" })).body;
});
afterAll(async () => {
  await database?.end();
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const timeZone = "Europe/Berlin";
/** In which restic does what takes it seconds, also where others have the processor. */
const resticMs = 120_000;
/** Nothing but what a test makes due is due while this runs. */
const time = new Date(Date.now() + 12 * 3_600_000).toLocaleTimeString("en-GB", { timeZone, timeStyle: "short" });
const daily = {
  timeZone,
  hourly: null,
  daily: { time, keep: 1 },
  weekly: null,
  repository: null,
};
const putPolicy = (policy: object) =>
  stack.api<{ policy: object; nextAt: string }>("PUT", `/api/vms/${vm.id}/backup-policy`, policy);
const listBackups = async () => (await stack.api<{ items: Backup[] }>("GET", `/api/vms/${vm.id}/backups`)).body.items;
async function stored(id: number): Promise<StoredBackup[]> {
  const url = `/api/backup-repositories/${id}/backups`;
  const { status, body } = await stack.api<{ items: StoredBackup[] }>("GET", url);
  expect(status, JSON.stringify(body)).toBe(200);
  return body.items;
}
/** As the clock does every minute. */
const wake = () => database.query("select graphile_worker.add_job('advance-backups', job_key := 'advance-backups')");

const addRepository = (name: string, path: string) => addPlace(name, folderAccess(path));

async function addPlace(name: string, access: RepositoryAccess): Promise<BackupRepository> {
  const ask = { name, ...access };
  const { status, body } = await stack.api<BackupRepository>("POST", "/api/backup-repositories", ask);
  expect(status).toBe(201);
  return body;
}

/** What is due now, as if the clock had come to it. */
async function makeDue(at: string): Promise<void> {
  await database.query("update backup_policies set daily_at = $1 where vm_id = $2", [at, vm.id]);
  await wake();
}

async function backupOf(
  id: number,
  status: Backup["status"],
  isWanted: (backup: Backup) => boolean = () => true,
): Promise<Backup> {
  let found: Backup | undefined;
  const isSo = async () => {
    await wake();
    found = (await listBackups()).find((backup) => backup.id === id);
    if (found?.status === "failed" && status !== "failed") throw new Error(found.error ?? "failed");
    return found?.status === status && isWanted(found);
  };
  await until(`backup ${id} is ${status}`, isSo, resticMs);
  return found as Backup;
}

async function restoreEnded({ id }: Operation): Promise<Operation> {
  const read = async () => (await stack.api<Operation>("GET", `/api/operations/${id}`)).body;
  await until("the restore ended", async () => (await read()).finishedAt !== null, resticMs);
  return read();
}

test("a missed run is caught up once, and the next one is due by the wall clock", async () => {
  expect((await putPolicy(daily)).status).toBe(200);
  await makeDue("2026-01-01T02:00:00Z");
  await until("there is a backup", async () => (await listBackups()).length > 0);
  const [first] = await listBackups();
  await backupOf(first?.id ?? 0, "done");
  await wake();
  expect(await listBackups()).toMatchObject([{ tier: "daily", dueAt: "2026-01-01T02:00:00.000Z", copy: null }]);
  const { body } = await stack.api<{ nextAt: string }>("GET", `/api/vms/${vm.id}/backup-policy`);
  expect(Date.parse(body.nextAt)).toBeGreaterThan(Date.now());
  expect(new Date(body.nextAt).toLocaleTimeString("en-GB", { timeZone })).toBe(`${time}:00`);
});

test("what is past its retention goes, with its snapshot", async () => {
  const [before] = await listBackups();
  await makeDue("2026-01-02T02:00:00Z");
  await until("only the newer one is there", async () => {
    await wake();
    const dates = (await listBackups()).map(({ dueAt }) => dueAt);
    return dates.length === 1 && dates[0] === "2026-01-02T02:00:00.000Z";
  });
  const snapshotUrl = `/api/snapshots/${before?.snapshotId}`;
  await until("its snapshot is gone", async () => (await stack.api("GET", snapshotUrl)).status === 404);
});

test("a backup to a repository is read back, outlives the VM, and becomes a new VM on an installation that knows nothing of it", async () => {
  const path = join(folder, "far");
  mkdirSync(path);
  const repository = await addRepository("Far away", path);
  const asked = await stack.api<Backup>("POST", `/api/vms/${vm.id}/backups`, { repository: repository.id });
  expect(asked).toMatchObject({ status: 202, body: { tier: "manual", status: "taking" } });
  const operationOf = async ({ operationId }: Backup) =>
    (await stack.api<Operation>("GET", `/api/operations/${operationId}`)).body;
  expect(await operationOf(asked.body)).toMatchObject({ kind: "snapshot-take", vm: { id: vm.id } });
  const copying = await backupOf(asked.body.id, "copying", ({ operationId }) => operationId !== null);
  expect(await operationOf(copying)).toMatchObject({ kind: "backup", vm: { id: vm.id } });
  const backup = await backupOf(asked.body.id, "done");
  expect(backup.operationId).toBeNull();
  expect(backup.copy?.verifiedAt).toBeTruthy();
  expect(await stored(repository.id)).toMatchObject([{ key: backup.copy?.key, vmName: "web-1" }]);
  expect(readdirSync(path)).toContain("config");

  await stack.api("DELETE", `/api/backup-repositories/${repository.id}`);
  const again = await addRepository("Found again", path);
  const [copy] = await stored(again.id);
  const restore = { backup: copy?.key, name: "web-2" };
  const taken = { ...restore, name: "web-1" };
  const refused = await stack.api<{ fields: object }>("POST", `/api/backup-repositories/${again.id}/restore`, taken);
  expect(refused).toMatchObject({ status: 409, body: { fields: { name: "This name is taken." } } });
  const { body: operation } = await stack.api<Operation>(
    "POST",
    `/api/backup-repositories/${again.id}/restore`,
    restore,
  );
  const ended = await restoreEnded(operation);
  expect(ended).toMatchObject({ status: "done", error: null, result: { vmId: expect.any(Number) } });
  const { body: restored } = await stack.api<Vm>("GET", `/api/vms/${ended.result?.vmId}`);
  expect(restored).toMatchObject({ name: "web-2", size: vm.size });

  // A name that is taken while the copy is read: what there is, and what there is not.
  const [late, rival] = [
    { ...restore, name: "web-3" },
    { name: "web-3", image: "mini", size: "nano" },
  ];
  const { body: asking } = await stack.api<Operation>("POST", `/api/backup-repositories/${again.id}/restore`, late);
  expect((await stack.api("POST", "/api/vms", rival)).status).toBe(201);
  expect(await restoreEnded(asking)).toMatchObject({
    status: "failed",
    error: expect.stringContaining("no VM could be created: A VM named web-3 exists already."),
    result: { imageId: expect.any(Number) },
  });
}, 300_000);

test("a backup to a bucket is read back, and becomes a new VM", async () => {
  const { access, server } = await s3Access();
  const repository = await addPlace("Bucket", access);
  const { body: asked } = await stack.api<Backup>("POST", `/api/vms/${vm.id}/backups`, { repository: repository.id });
  const { copy } = await backupOf(asked.id, "done");
  expect(copy?.verifiedAt).toBeTruthy();
  expect(await stored(repository.id)).toMatchObject([{ key: copy?.key, vmName: "web-1" }]);
  expect([...server.objects.keys()]).toContain("copies/cumulus/host/config");

  const url = `/api/backup-repositories/${repository.id}`;
  const restore = { backup: copy?.key, name: "from-bucket" };
  const { body: operation } = await stack.api<Operation>("POST", `${url}/restore`, restore);
  const ended = await restoreEnded(operation);
  expect(ended).toMatchObject({ status: "done", error: null, result: { vmId: expect.any(Number) } });
  const { body: restored } = await stack.api<Vm>("GET", `/api/vms/${ended.result?.vmId}`);
  expect(restored).toMatchObject({ name: "from-bucket", size: vm.size });

  const backupUrl = `/api/vms/${vm.id}/backups/${asked.id}`;
  expect((await stack.api("DELETE", `/api/vms/${restored.id}/backups/${asked.id}`)).status).toBe(404);
  expect((await stack.api("DELETE", `/api/vms/${vm.id}/backups/latest`)).status).toBe(404);
  const removing = await stack.api<{ items: Operation[] }>("DELETE", backupUrl);
  expect(removing.status).toBe(202);
  expect(removing.body.items).toContainEqual(expect.objectContaining({ kind: "backup-remove", subject: "Bucket" }));
  for (const operation of removing.body.items) expect(await restoreEnded(operation)).toMatchObject({ status: "done" });
  expect(await stored(repository.id)).toEqual([]);
  expect((await stack.api("DELETE", backupUrl)).status).toBe(404);
  expect((await stack.api("DELETE", url)).status).toBe(204);
}, 300_000);

test("a bucket whose secret key is wrong is refused, saying so, and nothing is written to it", async () => {
  const { access, server } = await s3Access();
  const place = { ...access.place, secretAccessKey: "another" };
  const answer = await stack.api("POST", "/api/backup-repositories", { name: "Bad", ...access, place });
  const why = "The secret access key doesn't belong to this access key.";
  expect(answer).toMatchObject({ status: 400, body: { detail: why, fields: { "place.secretAccessKey": why } } });
  expect(server.objects.size).toBe(0);
});

test("a copy that fails while its repository is away says why, and is copied again when somebody asks", async () => {
  const path = join(folder, "loose");
  mkdirSync(path);
  const repository = await addRepository("Loose disk", path);
  renameSync(path, `${path}.away`);
  const { body: asked } = await stack.api<Backup>("POST", `/api/vms/${vm.id}/backups`, { repository: repository.id });
  const failed = await backupOf(asked.id, "failed");
  expect(failed.error).toMatch(/^It was not copied\. .*loose/);
  renameSync(`${path}.away`, path);
  const again = await stack.api<Backup>("POST", `/api/vms/${vm.id}/backups/${asked.id}/copy`, {});
  expect(again).toMatchObject({ status: 202, body: { id: asked.id, status: "copying", error: null } });
  const { copy } = await backupOf(asked.id, "done");

  const url = `/api/backup-repositories/${repository.id}/backups/${copy?.key}`;
  expect(await stack.api("DELETE", url)).toMatchObject({ status: 202, body: { kind: "backup-remove" } });
  await until("the copy is gone", async () => (await stored(repository.id)).length === 0, resticMs);
  expect((await stack.api("DELETE", url)).status).toBe(404);
  await stack.api("DELETE", `/api/backup-repositories/${repository.id}`);
}, 300_000);

test("a wrong password, a folder with other files and a path that isn't there are refused, naming the field", async () => {
  const add = (place: object, password = "correct horse") =>
    stack.api<{ fields?: Record<string, string> }>("POST", "/api/backup-repositories", {
      name: "Bad",
      password,
      place,
    });
  // Of another installation, as far as this one knows.
  cpSync(join(folder, "far"), join(folder, "unknown"), { recursive: true });
  const cases = [
    [await add({ kind: "folder", path: join(folder, "unknown") }, "another password"), "password"],
    [await add({ kind: "folder", path: folder }), "place.path"],
    [await add({ kind: "folder", path: join(folder, "none") }), "place.path"],
    [await add({ kind: "folder", path: "relative" }), "place.path"],
    [
      await add({ kind: "s3", endpoint: "file:///etc", bucket: "b-1", accessKeyId: "a", secretAccessKey: "s" }),
      "place.endpoint",
    ],
  ] as const;
  for (const [answer, field] of cases) {
    expect(answer.status).toBe(400);
    expect(Object.keys(answer.body.fields ?? {})).toContain(field);
  }
});

test("a place that is a repository here already is none a second time", async () => {
  const place = { kind: "folder", path: `${join(folder, "far")}/` };
  const answer = await stack.api("POST", "/api/backup-repositories", {
    name: "Twice",
    password: "correct horse",
    place,
  });
  expect(answer).toMatchObject({ status: 409, body: { detail: expect.stringContaining("is there already") } });
});

test("no answer tells what opens a repository", async () => {
  const { body } = await stack.api("GET", "/api/backup-repositories");
  const { body: operations } = await stack.api("GET", "/api/operations");
  expect(JSON.stringify([body, operations])).not.toContain("correct horse");
});

test.each([
  [{ ...daily, timeZone: "Nowhere" }, "timeZone"],
  [{ ...daily, daily: null }, "daily"],
  [{ ...daily, repository: 999 }, "repository"],
])("the policy %j is refused, naming %s, and the present one stays", async (policy, field) => {
  const answer = await putPolicy(policy);
  expect(answer).toMatchObject({ status: 400, body: { fields: { [field]: expect.any(String) } } });
  const { body } = await stack.api<{ policy: object }>("GET", `/api/vms/${vm.id}/backup-policy`);
  expect(body.policy).toEqual(daily);
});

test("a repository that schedules copy to can't be forgotten", async () => {
  const { body } = await stack.api<{ items: BackupRepository[] }>("GET", "/api/backup-repositories");
  const [repository] = body.items;
  await putPolicy({ ...daily, repository: repository?.id });
  expect((await stack.api("DELETE", `/api/backup-repositories/${repository?.id}`)).status).toBe(409);
  expect((await stack.api("DELETE", `/api/vms/${vm.id}/backup-policy`)).status).toBe(204);
  expect((await stack.api("DELETE", `/api/backup-repositories/${repository?.id}`)).status).toBe(204);
});
