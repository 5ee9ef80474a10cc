import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CatalogueItem } from "../../lib/domain/catalogueItem";
import type { ImageDetail } from "../../lib/domain/imageDetail";
import type { Operation } from "../../lib/domain/operation";
import { type ImageMirror, startImageMirror } from "../imageMirror";
import { type Stack, startStack } from "../stack";
import { MiB, qcow2 } from "../testDisk";
import { imageClient } from "./imageClient";

const entryId = "ubuntu-24.04-x86_64";
const published = "https://cloud-images.ubuntu.com/releases/24.04/release/ubuntu-24.04-server-cloudimg-amd64.img";

let mirror: ImageMirror;
let stack: Stack;
let api: ReturnType<typeof imageClient>;
beforeAll(async () => {
  mirror = await startImageMirror(published, await qcow2(1 * MiB));
  stack = await startStack({ hypervisor: "fake", env: { CUMULUS_IMAGE_MIRROR: mirror.url } });
  api = imageClient(stack);
});
afterAll(async () => {
  await stack?.stop();
  await mirror?.close();
});

describe("the catalogue", () => {
  test("those who ask for the same image, by id, name or alias, get one download, and then it is there under its aliases", async () => {
    const names = [entryId, "ubuntu-24.04", "ubuntu_24.04"];
    const [first, ...others] = await Promise.all(names.map((catalogue) => api.post({ catalogue })));
    if (!first) throw new Error("No answer.");
    expect(others.map(({ body }) => body.id)).toEqual([first.body.id, first.body.id]);
    const image = await api.made(first);
    expect(image).toMatchObject({ name: "ubuntu-24.04", arch: "x86_64", kind: "disk", loginUser: "ubuntu" });
    expect(mirror.startBytes).toEqual([0]);

    const { body } = await stack.api<{ items: CatalogueItem[] }>("GET", "/api/catalogue");
    expect(body.items.find(({ id }) => id === entryId)?.imageId).toBe(image.id);
    const vm = { name: "by-alias", image: "ubuntu_24.04", size: "small" };
    const created = await stack.api<{ image: { id: number } }>("POST", "/api/vms", vm);
    expect(created).toMatchObject({ status: 201, body: { image: { id: image.id } } });
  });

  test("takes the administrator's own entries without a restart, and names a file that it can't use", async () => {
    const own = join(stack.settings.dataDir, "catalogue.d");
    await mkdir(own);
    const checksum = { url: "https://own.example/SHA256SUMS", algorithm: "sha256", format: "list" };
    const x86_64 = { firmwares: ["bios"], url: "https://own.example/a.qcow2", checksum, downloadBytes: "1G" };
    const system = {
      ...{ name: "ours", title: "Ours", os: { family: "ours", release: "1" }, endOfLife: null },
      ...{ loginUser: "me", minDiskBytes: "1G", minMemoryBytes: "1G", images: { x86_64 } },
    };
    // JSON is YAML, too.
    await writeFile(join(own, "own.yaml"), JSON.stringify([system]));
    await writeFile(join(own, "bad.yaml"), "- name: Not A Name");
    const { body } = await stack.api<{ items: CatalogueItem[]; problems: string[] }>("GET", "/api/catalogue");
    expect(body.items.map(({ id }) => id)).toEqual(expect.arrayContaining([entryId, "ours-x86_64"]));
    expect(body.problems).toEqual([expect.stringContaining(join(own, "bad.yaml"))]);
    await rm(own, { recursive: true });
    expect((await stack.api("GET", "/api/catalogue")).body).toMatchObject({ problems: [] });
  });

  test("an image that the catalogue has and the host has not is told how to be added", async () => {
    const { status, body } = await stack.api<{ fields: Record<string, string> }>("POST", "/api/vms", {
      ...{ name: "not-yet", image: "ubuntu_22.04", size: "small" },
    });
    expect(status).toBe(400);
    expect(body.fields.image).toContain('{"catalogue": "ubuntu-22.04-x86_64"}');
  });

  test("the same again finds that the newest build is here", async () => {
    const before = await api.images();
    const image = await api.made(await api.post({ catalogue: entryId }));
    expect((await api.images()).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    const refreshed = await stack.api<Operation>("POST", `/api/images/${image.id}/refresh`);
    expect((await api.made(refreshed)).id).toBe(image.id);
  });
});

describe("a newer build of a catalogue's image", () => {
  const ask = (id: number) => stack.api<ImageDetail>("POST", `/api/images/${id}/newer-build`);

  test("is told when its maker is asked, and no longer when it is here", async () => {
    const old = await api.made(await api.post({ catalogue: entryId }));
    expect(old).toMatchObject({ newerBuild: null, published: null });
    const { source } = old;
    const { body: same } = await ask(old.id);
    const checksum = source.type === "catalogue" && source.checksum;
    expect(same).toMatchObject({ newerBuild: null, published: { checksum, problem: null } });
    expect(Date.now() - Date.parse(same.published?.askedAt ?? "")).toBeLessThan(60_000);

    mirror.publish(await qcow2(1 * MiB));
    // Nobody has asked since.
    expect((await stack.api<ImageDetail>("GET", `/api/images/${old.id}`)).body.newerBuild).toBeNull();
    expect((await ask(old.id)).body).toMatchObject({ newerBuild: "published", newerId: null });
    expect((await api.images()).find(({ id }) => id === old.id)?.newerBuild).toBe("published");

    mirror.publish(null);
    const { status, body: unanswered } = await ask(old.id);
    expect(status).toBe(200);
    expect(unanswered).toMatchObject({ newerBuild: "published", published: { problem: expect.stringMatching(/404/) } });

    mirror.publish(await qcow2(1 * MiB));
    const newest = await api.made(await stack.api<Operation>("POST", `/api/images/${old.id}/refresh`));
    expect(newest.id).not.toBe(old.id);
    expect((await ask(newest.id)).body).toMatchObject({ newerBuild: null, newerId: null });
    expect((await stack.api("GET", `/api/images/${old.id}`)).body).toMatchObject({ newerId: newest.id });
  });

  test("is asked for of no other image", async () => {
    const image = await api.uploaded("of-nobody", await qcow2(MiB));
    expect(await ask(image.id)).toMatchObject({ status: 409, body: { code: "wrong_state" } });
    expect((await ask(999_999)).status).toBe(404);
    expect((await stack.api("POST", "/api/images/x/newer-build")).status).toBe(404);
  });
});

describe("an image", () => {
  test("that is used is kept, and says by whom; one that is not goes with its file", async () => {
    const image = await api.uploaded("held", await qcow2(MiB));
    const vm = await stack.api<{ id: number }>("POST", "/api/vms?wait=ready", {
      ...{ name: "holder", image: "held", size: "small" },
    });
    const refused = await stack.api<{ detail: string; code: string }>("DELETE", `/api/images/${image.id}`);
    expect(refused).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect(refused.body.detail).toContain("holder");
    const detail = await stack.api<ImageDetail>("GET", `/api/images/${image.id}`);
    expect(detail.body).toMatchObject({ vmCount: 1, vms: [{ id: vm.body.id, name: "holder" }] });

    const destroyed = await stack.api<Operation>("DELETE", `/api/vms/${vm.body.id}`);
    await api.ended(destroyed.body.id);
    const removed = await stack.api<Operation>("DELETE", `/api/images/${image.id}`);
    expect(removed.status).toBe(202);
    expect((await stack.api("GET", `/api/images/${image.id}`)).status).toBe(404);
    expect(await api.ended(removed.body.id)).toMatchObject({ status: "done" });
    expect((await stack.agent.listImages()).map(({ sha256 }) => sha256)).not.toContain(image.sha256);
    expect((await stack.api("DELETE", `/api/images/${image.id}`)).status).toBe(404);
  });

  test("that was removed can be brought again", async () => {
    const bytes = await qcow2(MiB);
    const first = await api.uploaded("again", bytes);
    await api.ended((await stack.api<Operation>("DELETE", `/api/images/${first.id}`)).body.id);
    expect(await api.uploaded("again", bytes)).toMatchObject({ id: first.id, name: "again" });
  });

  test("is a name for its bytes: by another name they are another image of the same file, which goes with the last", async () => {
    const bytes = await qcow2(MiB);
    const first = await api.uploaded("one-name", bytes);
    const second = await api.uploaded("another-name", bytes);
    expect(second).toMatchObject({ sha256: first.sha256, sameFile: [{ id: first.id, name: "one-name" }] });
    expect((await api.images()).filter(({ sha256 }) => sha256 === first.sha256).map(({ name }) => name)).toEqual([
      "another-name",
      "one-name",
    ]);
    const vm = await stack.api<{ id: number; image: { id: number } }>("POST", "/api/vms?wait=ready", {
      ...{ name: "by-one-name", image: "one-name", size: "small" },
    });
    expect(vm.body.image.id).toBe(first.id);
    expect((await stack.api("DELETE", `/api/images/${first.id}`)).status).toBe(409);

    // What uses the file by one name doesn't keep the other.
    const removed = await stack.api<Operation>("DELETE", `/api/images/${second.id}`);
    expect(await api.ended(removed.body.id)).toMatchObject({ status: "done" });
    expect((await stack.agent.listImages()).filter(({ sha256 }) => sha256 === first.sha256)).toMatchObject([
      { name: "one-name" },
    ]);
    await api.ended((await stack.api<Operation>("DELETE", `/api/vms/${vm.body.id}`)).body.id);
    await api.ended((await stack.api<Operation>("DELETE", `/api/images/${first.id}`)).body.id);
    expect(await stack.agent.listImages()).not.toContainEqual(expect.objectContaining({ sha256: first.sha256 }));
    expect(await readdir(join(stack.settings.dataDir, "images"))).not.toContain(`${first.sha256}.qcow2`);
  });

  test("of the same name makes the one before out of date, and is what the name means", async () => {
    const old = await api.uploaded("twice", await qcow2(MiB));
    const newest = await api.uploaded("twice", await qcow2(MiB));
    const listed = (await api.images()).filter(({ name }) => name === "twice");
    expect(listed.map(({ id, newerId }) => [id, newerId])).toEqual([
      [newest.id, null],
      [old.id, newest.id],
    ]);
    const vm = await stack.api<{ image: { id: number } }>("POST", "/api/vms", {
      ...{ name: "newest-of-two", image: "twice", size: "small" },
    });
    expect(vm.body.image.id).toBe(newest.id);
  });

  test("made from a VM's disk stands by itself, and can't be had anew", async () => {
    const vm = await stack.api<{ id: number }>("POST", "/api/vms?wait=ready", {
      ...{ name: "master", image: "mini", size: "small" },
    });
    const image = await api.made(await api.post({ vm: vm.body.id, name: "golden", title: "Golden" }));
    expect(image).toMatchObject({ title: "Golden", source: { type: "vm", vmName: "master", snapshotName: null } });
    const refresh = await stack.api<{ code: string }>("POST", `/api/images/${image.id}/refresh`);
    expect(refresh).toMatchObject({ status: 409, body: { code: "wrong_state" } });
  });
});

async function countOpen(): Promise<number> {
  const { body } = await stack.api<{ items: Operation[] }>("GET", "/api/operations");
  return body.items.filter(({ status }) => status === "pending" || status === "running").length;
}

describe("POST /api/images names the field that is wrong, and asks nothing of the host", () => {
  const recipe = { name: "r", title: "R", steps: [{ type: "timezone", timezone: "UTC" }] };
  const cases: [string, object, string][] = [
    ["two places", { catalogue: entryId, build: "mini" }, "build"],
    ["an entry that isn't there", { catalogue: "beos-5" }, "catalogue"],
    ["a field that means nothing there", { catalogue: entryId, name: "x" }, "name"],
    ["an address without a name", { url: "https://example.org/a.img" }, "name"],
    ["a name that is none", { url: "https://example.org/a.img", name: "A/B" }, "name"],
    ["a checksum that is none", { url: "https://example.org/a.img", name: "a", checksum: "1" }, "checksum"],
    ["a build that isn't there", { build: "windows" }, "build"],
    ["a build for an architecture that it isn't made for", { build: "debian-12", arch: "aarch64" }, "arch"],
    ["a recipe without a base", { recipe }, "base"],
    ["a recipe that isn't there", { recipe: 999_999, base: "mini" }, "recipe"],
    ["a base that isn't there", { recipe, base: "beos" }, "base"],
    ["a VM that isn't there", { vm: 999_999, name: "a" }, "vm"],
    ["a snapshot that isn't there", { snapshot: 999_999, name: "a" }, "snapshot"],
    ["a field that isn't there", { catalogue: entryId, colour: "red" }, "colour"],
  ];
  test("nothing, which is no field's fault", async () => {
    const { status, body: problem } = await api.post<object>({});
    expect(problem).toMatchObject({
      code: "bad_request",
      detail: expect.stringMatching(/one of catalogue/),
      fields: {},
    });
    expect(status).toBe(400);
  });

  test.each(cases)("%s", async (_what, body, field) => {
    const before = await countOpen();
    const { status, body: problem } = await api.post<{ code: string; detail: string; fields: object }>(body);
    expect(problem).toMatchObject({ code: "bad_request", fields: { [field]: expect.any(String) } });
    expect(status).toBe(400);
    expect(await countOpen()).toBe(before);
  });

  test.each([
    ["http://127.0.0.1:1/a.img", /127\.0\.0\.1/],
    ["http://10.0.0.1/a.img", /CUMULUS_IMAGE_HOSTS/],
    ["http://[::ffff:10.0.0.1]/a.img", /private network/],
    ["http://2130706433/a.img", /127\.0\.0\.1/],
    ["file:///etc/passwd", /https:\/\//],
    ["ftp://example.org/a.img", /https:\/\//],
    ["https://me:secret@example.org/a.img", /user name or password/],
    ["example.org", /no address/],
  ])("the address %s, which no operation would fetch", async (url, reason) => {
    const before = await countOpen();
    const answer = await api.post<{ fields: object }>({ url, name: "inside" });
    expect(answer).toMatchObject({ status: 400, body: { fields: { url: expect.stringMatching(reason) } } });
    expect(JSON.stringify(answer.body)).not.toContain("secret");
    expect(await countOpen()).toBe(before);
  });

  test("a name that leads into this network is refused by the operation, which looks it up", async () => {
    const { body } = await api.post({ url: "http://localhost:1/a.img", name: "inside" });
    expect(await api.ended(body.id)).toMatchObject({ status: "failed", error: expect.stringMatching(/localhost/) });
  });
});
