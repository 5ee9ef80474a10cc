import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BackupRepository } from "../../lib/domain/backup";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { type Stack, startStack } from "../stack";
import { MiB, qcow2 } from "../testDisk";
import { imageClient } from "./imageClient";
import { snapshotClient } from "./snapshotClient";

let stack: Stack;
let vm: Vm;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
  vm = await snapshotClient(stack).create("asked");
});
afterAll(() => stack?.stop());

const operations = async () => (await stack.api<{ items: Operation[] }>("GET", "/api/operations")).body.items;

/** A request that is refused for one field, and begins nothing. */
async function refuses(method: string, path: string, body: object | undefined, field: string): Promise<void> {
  const before = (await operations()).length;
  const answer = await stack.api(method, path, body);
  expect(answer).toMatchObject({
    status: 400,
    body: { code: "bad_request", detail: expect.stringMatching(/.{10}/), fields: { [field]: expect.any(String) } },
  });
  expect(await operations()).toHaveLength(before);
}

describe("PUT /api/vms/{id}/cdrom", () => {
  test.each<[string, object, string]>([
    ["an image that isn't there", { image: "beos" }, "image"],
    ["an id that isn't there", { image: 999_999 }, "image"],
    ["a disk", { image: "mini" }, "image"],
    ["neither name nor id", { image: true }, "image"],
    ["no name", { image: "" }, "image"],
    ["a device that isn't there", { bootFrom: "floppy" }, "bootFrom"],
    ["a field that isn't there", { image: null, colour: "red" }, "colour"],
  ])("%s is refused, and the drive stays as it is", async (_what, body, field) => {
    await refuses("PUT", `/api/vms/${vm.id}/cdrom`, body, field);
    expect((await stack.api<Vm>("GET", `/api/vms/${vm.id}`)).body.cdrom).toEqual(vm.cdrom);
  });

  test("nothing at all is refused, and so is a VM that isn't there", async () => {
    expect(await stack.api("PUT", `/api/vms/${vm.id}/cdrom`, {})).toMatchObject({ status: 400 });
    expect(await stack.api("PUT", "/api/vms/999999/cdrom", { image: null })).toMatchObject({ status: 404 });
    expect(await stack.api("PUT", "/api/vms/x/cdrom", { image: null })).toMatchObject({ status: 404 });
  });
});

describe("backups", () => {
  let folder: string;
  let repository: BackupRepository;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bad-fields-"));
    const added = await stack.api<BackupRepository>("POST", "/api/backup-repositories", {
      ...{ name: "Here", password: "correct horse", place: { kind: "folder", path: folder } },
    });
    expect(added.status).toBe(201);
    repository = added.body;
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each<[string, object, string]>([
    ["a repository that isn't there", { repository: 999_999 }, "repository"],
    ["a repository's name", { repository: "Here" }, "repository"],
    ["half an id", { repository: 1.5 }, "repository"],
    ["no repository", {}, "repository"],
    ["a field that isn't there", { repository: 1, colour: "red" }, "colour"],
  ])("POST /api/vms/{id}/backups with %s is refused, and nothing is backed up", async (_what, body, field) => {
    await refuses("POST", `/api/vms/${vm.id}/backups`, body, field);
    expect(await stack.api("GET", `/api/vms/${vm.id}/backups`)).toMatchObject({ body: { items: [] } });
  });

  const bucket = { kind: "s3", endpoint: "https://s3.example.com", bucket: "b-1", accessKeyId: "a" };
  test.each<[string, object, string]>([
    ["an empty name", { name: "" }, "name"],
    ["a short password", { password: "short" }, "password"],
    ["another password", { password: "another password" }, "password"],
    ["a path that isn't absolute", { place: { kind: "folder", path: "relative" } }, "place.path"],
    ["a path that leads up", { place: { kind: "folder", path: "/mnt/../etc" } }, "place.path"],
    ["a folder without a repository", { place: { kind: "folder", path: "/usr" } }, "place.path"],
    ["an endpoint of another kind", { place: { ...bucket, endpoint: "file:///etc" } }, "place.endpoint"],
    ["a bucket without a secret key", { place: bucket }, "place.secretAccessKey"],
    ["a field that isn't there", { colour: "red" }, "colour"],
  ])("PATCH /api/backup-repositories/{id} with %s is refused, and the repository stays", async (_what, body, field) => {
    await refuses("PATCH", `/api/backup-repositories/${repository.id}`, body, field);
    expect(await stack.api("GET", "/api/backup-repositories")).toMatchObject({ body: { items: [repository] } });
  });

  test("a repository that isn't there can't be changed", async () => {
    expect((await stack.api("PATCH", "/api/backup-repositories/999999", { name: "None" })).status).toBe(404);
    expect((await stack.api("PATCH", "/api/backup-repositories/x", { name: "None" })).status).toBe(404);
  });

  test.each<[string, object, string]>([
    ["no key", { name: "back" }, "backup"],
    ["a key that is none", { backup: "latest", name: "back" }, "backup"],
    ["a key of a repository's tool", { backup: "--all", name: "back" }, "backup"],
    ["a key in capitals", { backup: "A".repeat(64), name: "back" }, "backup"],
    ["no name", { backup: "a".repeat(64) }, "name"],
    ["a network that isn't there", { backup: "a".repeat(64), name: "back", network: "nowhere" }, "network"],
    ["a network's id", { backup: "a".repeat(64), name: "back", network: 1 }, "network"],
    ["a network that is none", { backup: "a".repeat(64), name: "back", network: "" }, "network"],
    ["a field that isn't there", { backup: "a".repeat(64), name: "back", colour: "red" }, "colour"],
  ])("POST /api/backup-repositories/{id}/restore with %s is refused", async (_what, body, field) => {
    await refuses("POST", `/api/backup-repositories/${repository.id}/restore`, body, field);
  });

  test("a key that no backup has ends the restore with a reason, and no VM", async () => {
    const body = { backup: "a".repeat(64), name: "back" };
    expect((await stack.api("POST", "/api/backup-repositories/999999/restore", body)).status).toBe(404);
    const asked = await stack.api<Operation>("POST", `/api/backup-repositories/${repository.id}/restore`, body);
    expect(asked.status).toBe(202);
    const ended = await imageClient(stack).ended(asked.body.id);
    expect(ended).toMatchObject({ status: "failed", error: expect.stringMatching(/.{10}/), result: null });
    expect((await stack.api<{ items: Vm[] }>("GET", "/api/vms")).body.items.map(({ name }) => name)).toEqual(["asked"]);
  });

  test.each(["latest", "A".repeat(64), "%2500"])("DELETE …/backups/%s is refused", async (key) => {
    const { status } = await stack.api("DELETE", `/api/backup-repositories/${repository.id}/backups/${key}`);
    expect([400, 404]).toContain(status);
  });
});

describe("GET /api/operations/{id}/log", () => {
  test("an offset that is none is refused; one past the end is the end", async () => {
    const { id } = await imageClient(stack).uploaded("logged", await qcow2(MiB));
    const upload = (await operations()).find(({ result }) => result?.imageId === id);
    const path = `/api/operations/${upload?.id}/log`;
    for (const offset of ["-1", "1.5", "x", "1e99", "99999999999999999999", "1&offset=2"]) {
      await refuses("GET", `${path}?offset=${offset}`, undefined, "offset");
    }
    await refuses("GET", `${path}?after=1`, undefined, "after");
    const whole = await stack.api<{ text: string; nextOffset: number }>("GET", path);
    expect(whole).toMatchObject({ status: 200, body: { nextOffset: Buffer.byteLength(whole.body.text) } });
    const past = await stack.api("GET", `${path}?offset=${whole.body.nextOffset + 1000}`);
    expect(past).toMatchObject({ status: 200, body: { text: "" } });
  });

  test("of what keeps none there is none", async () => {
    const short = (await operations()).find(({ isTask }) => !isTask);
    expect(await stack.api("GET", `/api/operations/${short?.id}/log`)).toMatchObject({ status: 404 });
    expect(await stack.api("GET", "/api/operations/999999/log")).toMatchObject({ status: 404 });
  });
});

test.each<[string, object, string]>([
  ["user data that is no text", { userData: 7 }, "userData"],
  ["user data of a megabyte", { userData: "#".repeat(1024 ** 2) }, "userData"],
  ["a login user of 33 letters", { loginUser: "a".repeat(33) }, "loginUser"],
  ["an operating system of 41 letters", { osFamily: "a".repeat(41) }, "osFamily"],
  ["files that are no list", { files: "/etc/motd" }, "files"],
  ["a file that is no base64", { files: [{ path: "/x", content: "YQ", encoding: "base64" }] }, "files.0.content"],
  ["a file with a relative path", { files: [{ path: "etc/motd", content: "" }] }, "files.0.path"],
  ["a time zone that isn't there", { timezone: "Mars/Olympus; reboot" }, "timezone"],
  ["a package that is none", { packages: ["a; reboot"] }, "packages.0"],
  ["a field that isn't there", { colour: "red" }, "colour"],
])("POST /api/user-data/check with %s is refused", async (_what, body, field) => {
  await refuses("POST", "/api/user-data/check", body, field);
});

test("POST /api/user-data/check tells what is wrong in user data by line, as an answer", async () => {
  const answer = await stack.api("POST", "/api/user-data/check", { userData: "#cloud-config\nusers: [\n" });
  expect(answer).toMatchObject({
    status: 200,
    body: { valid: false, problems: [{ message: expect.any(String) }], warnings: [], preview: "" },
  });
  const misspelt = await stack.api("POST", "/api/user-data/check", { userData: "#cloud-config\npackges: [nginx]\n" });
  expect(misspelt).toMatchObject({ status: 200, body: { valid: true, problems: [], warnings: [{ line: 2 }] } });
});
