import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CatalogueItem } from "../../lib/domain/catalogueItem";
import type { Image } from "../../lib/domain/image";
import type { ImageDetail } from "../../lib/domain/imageDetail";
import type { Operation } from "../../lib/domain/operation";
import { type ImageMirror, startImageMirror } from "../imageMirror";
import { type Stack, startStack, until } from "../stack";

const MiB = 1024 ** 2;
const entryId = "ubuntu-24.04-x86_64";
const published = "https://cloud-images.ubuntu.com/releases/24.04/release/ubuntu-24.04-server-cloudimg-amd64.img";

let stack: Stack;
let mirror: ImageMirror;
beforeAll(async () => {
  mirror = await startImageMirror(published, await qcow2(1 * MiB));
  stack = await startStack({ hypervisor: "fake", env: { CUMULUS_IMAGE_MIRROR: mirror.url } });
});
afterAll(async () => {
  await stack?.stop();
  await mirror?.close();
});

/** A disk as qemu-img writes it, with so many bytes of data that no other has. */
async function qcow2(dataBytes: number): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "images-"));
  const [raw, file] = [join(folder, "disk.raw"), join(folder, "disk.qcow2")];
  const disk = Buffer.alloc(8 * MiB);
  randomBytes(dataBytes).copy(disk, MiB);
  disk.writeUInt16LE(0xaa55, 510);
  await writeFile(raw, disk);
  await execa("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, file]);
  const made = await readFile(file);
  await rm(folder, { recursive: true });
  return made;
}

const post = <T = Operation>(body: object) => stack.api<T>("POST", "/api/images", body);
const images = async () => (await stack.api<{ items: Image[] }>("GET", "/api/images")).body.items;

async function ended(id: number): Promise<Operation> {
  const read = async () => (await stack.api<Operation>("GET", `/api/operations/${id}`)).body;
  await until(`operation ${id} ends`, async () => (await read()).finishedAt !== null, 60_000);
  return read();
}

async function made({ status, body }: { status: number; body: Operation }): Promise<ImageDetail> {
  expect(status).toBe(202);
  const operation = await ended(body.id);
  expect(operation).toMatchObject({ status: "done", error: null });
  const { body: image } = await stack.api<ImageDetail>("GET", `/api/images/${operation.result?.imageId}`);
  return image;
}

function upload(query: Record<string, string>, body: BodyInit, headers: Record<string, string> = {}) {
  return fetch(`${stack.url}/api/images/upload?${new URLSearchParams(query)}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${stack.token}`, "content-type": "application/octet-stream", ...headers },
    body,
    duplex: "half",
  } as RequestInit);
}

async function uploaded(name: string, bytes: Buffer): Promise<ImageDetail> {
  const response = await upload({ fileName: `${name}.qcow2`, name }, new Uint8Array(bytes));
  return made({ status: response.status, body: await response.json() });
}

describe("the catalogue", () => {
  test("two who ask for the same image get one download, and then it is there under its aliases", async () => {
    const [first, second] = await Promise.all([post({ catalogue: entryId }), post({ catalogue: entryId })]);
    expect(second.body.id).toBe(first.body.id);
    const image = await made(first);
    expect(image).toMatchObject({ name: "ubuntu-24.04", arch: "x86_64", kind: "disk", loginUser: "ubuntu" });
    expect(mirror.startBytes).toEqual([0]);

    const { body } = await stack.api<{ items: CatalogueItem[] }>("GET", "/api/catalogue");
    expect(body.items.find(({ id }) => id === entryId)?.imageId).toBe(image.id);
    const vm = { name: "by-alias", image: "ubuntu_24.04", size: "small" };
    const created = await stack.api<{ image: { id: number } }>("POST", "/api/vms", vm);
    expect(created).toMatchObject({ status: 201, body: { image: { id: image.id } } });
  });

  test("an image that the catalogue has and the host has not is told how to be added", async () => {
    const { status, body } = await stack.api<{ fields: Record<string, string> }>("POST", "/api/vms", {
      ...{ name: "not-yet", image: "ubuntu_22.04", size: "small" },
    });
    expect(status).toBe(400);
    expect(body.fields.image).toContain('{"catalogue": "ubuntu-22.04-x86_64"}');
  });

  test("the same again finds that the newest build is here", async () => {
    const before = await images();
    const image = await made(await post({ catalogue: entryId }));
    expect((await images()).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    const refreshed = await stack.api<Operation>("POST", `/api/images/${image.id}/refresh`);
    expect((await made(refreshed)).id).toBe(image.id);
  });
});

describe("an upload", () => {
  test("becomes an image that can be fetched again, whole or from a byte on", async () => {
    const bytes = await qcow2(2 * MiB);
    const image = await uploaded("mine", bytes);
    expect(image).toMatchObject({ name: "mine", source: { type: "upload", fileName: "mine.qcow2" } });
    const get = (headers: Record<string, string>) =>
      fetch(`${stack.url}/api/images/${image.id}/file`, {
        headers: { authorization: `Bearer ${stack.token}`, ...headers },
      });
    const whole = await get({});
    expect(whole.headers.get("content-disposition")).toBe('attachment; filename="mine.qcow2"');
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
    const rest = await get({ range: "bytes=1000-" });
    expect(rest.status).toBe(206);
    expect(Buffer.from(await rest.arrayBuffer()).equals(bytes.subarray(1000))).toBe(true);
  });

  test.each<[string, string, Record<string, string>, Record<string, string>, string]>([
    ["no name", "x", { fileName: "a.img" }, {}, "name"],
    ["no file name", "x", { name: "a" }, {}, "fileName"],
    ["a checksum of another kind", "x", { name: "a", fileName: "a", checksum: "md5:0" }, {}, "checksum"],
    ["an architecture that isn't there", "x", { name: "a", fileName: "a", arch: "z80" }, {}, "arch"],
    ["a field that isn't there", "x", { name: "a", fileName: "a", colour: "red" }, {}, "colour"],
    ["the wrong type", "x", { name: "a", fileName: "a" }, { "content-type": "text/plain" }, ""],
  ])("with %s is refused before anything is written", async (_what, body, query, headers, field) => {
    const operations = await stack.api<{ items: Operation[] }>("GET", "/api/operations");
    const response = await upload(query, body, headers);
    expect(response.status).toBe(400);
    const { fields = {} } = await response.json();
    if (field) expect(Object.keys(fields)).toContain(field);
    const after = await stack.api<{ items: Operation[] }>("GET", "/api/operations");
    expect(after.body.items.length).toBe(operations.body.items.length);
  });

  test("of what is no image, or has another checksum, is refused with the reason, and leaves nothing", async () => {
    const before = await images();
    const other = await upload({ name: "a", fileName: "a.img", checksum: `sha256:${"0".repeat(64)}` }, "hello");
    expect(other.status).toBe(400);
    expect((await other.json()).detail).toMatch(/checksum/);
    const text = await upload({ name: "a", fileName: "a.img" }, "root:x:0:0:root:/root:/bin/bash\n");
    expect(text.status).toBe(202);
    const operation = await ended((await text.json()).id);
    expect(operation).toMatchObject({ status: "failed", error: expect.stringMatching(/text/) });
    expect(await images()).toEqual(before);
    await until("nothing is left", async () => (await leftInStaging()).length === 0);
  });

  test("that breaks off leaves nothing, and says so", async () => {
    const abort = new AbortController();
    let isFirst = true;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (isFirst) controller.enqueue(new Uint8Array(MiB));
        else setTimeout(() => abort.abort(), 300);
        isFirst = false;
      },
    });
    const query = new URLSearchParams({ name: "broken", fileName: "broken.img" });
    const sent = fetch(`${stack.url}/api/images/upload?${query}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${stack.token}`, "content-type": "application/octet-stream" },
      body: endless,
      duplex: "half",
      signal: abort.signal,
    } as RequestInit);
    await expect(sent).rejects.toThrow();
    const find = async () =>
      (await stack.api<{ items: Operation[] }>("GET", "/api/operations")).body.items.find(
        ({ subject }) => subject === "broken",
      );
    await until("its operation has ended", async () => (await find())?.finishedAt != null);
    expect((await find())?.status).toMatch(/failed|cancelled/);
    await until("nothing is left", async () => (await leftInStaging()).length === 0);
  });

  test("that is cancelled ends at once, and its sender is told", async () => {
    const find = async () =>
      (await stack.api<{ items: Operation[] }>("GET", "/api/operations")).body.items.find(
        ({ subject }) => subject === "unwanted",
      );
    let isOver = false;
    const slow = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        if (isOver) controller.close();
        else controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
    const sent = upload({ name: "unwanted", fileName: "unwanted.img" }, slow);
    try {
      await until("some of it has come", async () => ((await find())?.transfer?.doneBytes ?? 0) > 0);
      const operation = await find();
      await stack.api("POST", `/api/operations/${operation?.id}/cancel`, {});
      const response = await sent;
      expect(response.status).toBe(409);
      expect((await response.json()).detail).toContain("cancelled");
    } finally {
      isOver = true;
    }
    await until("its operation has ended", async () => (await find())?.status === "cancelled");
    await until("nothing is left", async () => (await leftInStaging()).length === 0);
  });

  test("of 2 GiB passes through the console without being held in it", async () => {
    const pid = await stack.pidOf("console");
    const total = 2048 * MiB;
    let sent = 0;
    let peak = 0;
    const chunk = new Uint8Array(MiB).fill(0x5a);
    const big = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (sent >= total) return controller.close();
        sent += chunk.length;
        if (sent % (32 * MiB) === 0) peak = Math.max(peak, await residentBytes(pid ?? 0));
        controller.enqueue(chunk);
      },
    });
    const before = await residentBytes(pid ?? 0);
    // A file of one byte over and over is refused as no image, after all of it was received.
    const response = await upload({ name: "big", fileName: "big.img" }, big);
    expect(response.status).toBe(202);
    await ended((await response.json()).id);
    expect(sent).toBe(total);
    expect(peak - before).toBeLessThan(150 * MiB);
  });
});

async function leftInStaging(): Promise<string[]> {
  const names = await readdir(join(stack.settings.dataDir, "staging"));
  return names.filter((name) => name.startsWith("image-"));
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

describe("an image", () => {
  test("that is used is kept, and says by whom; one that is not goes with its file", async () => {
    const image = await uploaded("held", await qcow2(MiB));
    const vm = await stack.api<{ id: number }>("POST", "/api/vms?wait=ready", {
      ...{ name: "holder", image: "held", size: "small" },
    });
    const refused = await stack.api<{ detail: string; code: string }>("DELETE", `/api/images/${image.id}`);
    expect(refused).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect(refused.body.detail).toContain("holder");
    const detail = await stack.api<ImageDetail>("GET", `/api/images/${image.id}`);
    expect(detail.body).toMatchObject({ vmCount: 1, vms: [{ id: vm.body.id, name: "holder" }] });

    const destroyed = await stack.api<Operation>("DELETE", `/api/vms/${vm.body.id}`);
    await ended(destroyed.body.id);
    const removed = await stack.api<Operation>("DELETE", `/api/images/${image.id}`);
    expect(removed.status).toBe(202);
    expect((await stack.api("GET", `/api/images/${image.id}`)).status).toBe(404);
    expect(await ended(removed.body.id)).toMatchObject({ status: "done" });
    expect((await stack.agent.listImages()).map(({ sha256 }) => sha256)).not.toContain(image.sha256);
    expect((await stack.api("DELETE", `/api/images/${image.id}`)).status).toBe(404);
  });

  test("that was removed can be brought again", async () => {
    const bytes = await qcow2(MiB);
    const first = await uploaded("again", bytes);
    await ended((await stack.api<Operation>("DELETE", `/api/images/${first.id}`)).body.id);
    expect(await uploaded("again", bytes)).toMatchObject({ id: first.id, name: "again" });
  });

  test("is a name for its bytes: by another name they are another image of the same file, which goes with the last", async () => {
    const bytes = await qcow2(MiB);
    const first = await uploaded("one-name", bytes);
    const second = await uploaded("another-name", bytes);
    expect(second).toMatchObject({ sha256: first.sha256, sameFile: [{ id: first.id, name: "one-name" }] });
    expect((await images()).filter(({ sha256 }) => sha256 === first.sha256).map(({ name }) => name)).toEqual([
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
    expect(await ended(removed.body.id)).toMatchObject({ status: "done" });
    expect((await stack.agent.listImages()).filter(({ sha256 }) => sha256 === first.sha256)).toMatchObject([
      { name: "one-name" },
    ]);
    await ended((await stack.api<Operation>("DELETE", `/api/vms/${vm.body.id}`)).body.id);
    await ended((await stack.api<Operation>("DELETE", `/api/images/${first.id}`)).body.id);
    expect(await stack.agent.listImages()).not.toContainEqual(expect.objectContaining({ sha256: first.sha256 }));
    expect(await readdir(join(stack.settings.dataDir, "images"))).not.toContain(`${first.sha256}.qcow2`);
  });

  test("of the same name makes the one before out of date, and is what the name means", async () => {
    const old = await uploaded("twice", await qcow2(MiB));
    const newest = await uploaded("twice", await qcow2(MiB));
    const listed = (await images()).filter(({ name }) => name === "twice");
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
    const image = await made(await post({ vm: vm.body.id, name: "golden", title: "Golden" }));
    expect(image).toMatchObject({ title: "Golden", source: { type: "vm", vmName: "master", snapshotName: null } });
    const refresh = await stack.api<{ code: string }>("POST", `/api/images/${image.id}/refresh`);
    expect(refresh).toMatchObject({ status: 409, body: { code: "wrong_state" } });
  });
});

describe("POST /api/images names the field that is wrong, and asks nothing of the host", () => {
  const recipe = { name: "r", title: "R", steps: [{ type: "timezone", timezone: "UTC" }] };
  const cases: [string, object, string][] = [
    ["nothing", {}, ""],
    ["two places", { catalogue: entryId, build: "mini" }, "build"],
    ["an entry that isn't there", { catalogue: "beos-5" }, "catalogue"],
    ["a field that means nothing there", { catalogue: entryId, name: "x" }, "name"],
    ["an address without a name", { url: "https://example.org/a.img" }, "name"],
    ["a name that is none", { url: "https://example.org/a.img", name: "A/B" }, "name"],
    ["a checksum that is none", { url: "https://example.org/a.img", name: "a", checksum: "1" }, "checksum"],
    ["a build that isn't there", { build: "windows" }, "build"],
    ["a recipe without a base", { recipe }, "base"],
    ["a recipe that isn't there", { recipe: 999_999, base: "mini" }, "recipe"],
    ["a base that isn't there", { recipe, base: "beos" }, "base"],
    ["a VM that isn't there", { vm: 999_999, name: "a" }, "vm"],
    ["a snapshot that isn't there", { snapshot: 999_999, name: "a" }, "snapshot"],
    ["a field that isn't there", { catalogue: entryId, colour: "red" }, "colour"],
  ];
  test.each(cases)("%s", async (_what, body, field) => {
    const count = async () =>
      (await stack.api<{ items: Operation[] }>("GET", "/api/operations")).body.items.filter(
        ({ status }) => status === "pending" || status === "running",
      ).length;
    const before = await count();
    const { status, body: problem } = await post<{ code: string; detail: string; fields: object }>(body);
    expect(problem).toMatchObject({ code: "bad_request", fields: { [field]: expect.any(String) } });
    expect(status).toBe(400);
    expect(await count()).toBe(before);
  });

  test("an address within this network is refused by the operation", async () => {
    const { body } = await post({ url: "http://127.0.0.1:1/a.img", name: "inside" });
    expect(await ended(body.id)).toMatchObject({ status: "failed", error: expect.stringMatching(/127\.0\.0\.1/) });
  });
});

describe("recipes and templates", () => {
  test("a recipe is kept without its passwords, changed, and deleted", async () => {
    const recipe = {
      name: "greeting",
      title: "A greeting",
      steps: [{ type: "root-password", password: "open-sesame" }],
    };
    const added = await stack.api<{ id: number; recipe: object }>("POST", "/api/recipes", recipe);
    expect(added.status).toBe(201);
    expect(JSON.stringify(added.body)).not.toContain("open-sesame");
    expect(JSON.stringify(added.body)).toContain("$6$");
    expect((await stack.api("POST", "/api/recipes", recipe)).status).toBe(409);
    const path = `/api/recipes/${added.body.id}`;
    const misplaced = await stack.api<{ fields: object }>("PATCH", path, { place: "console" });
    expect(misplaced).toMatchObject({ status: 400, body: { fields: { "steps.0.type": expect.any(String) } } });
    const changed = await stack.api("PATCH", path, { title: "Hello", base: "mini" });
    expect(changed.body).toMatchObject({ recipe: { title: "Hello", base: "mini", place: "disk" } });
    expect((await stack.api("DELETE", path)).status).toBe(204);
    expect((await stack.api("GET", path)).status).toBe(404);
  });

  test("a template is checked as user data, kept, changed, and deleted", async () => {
    const template = { name: "web", userData: "#cloud-config\npackages: [nginx]\n" };
    const bad = await stack.api("POST", "/api/user-data-templates", { ...template, userData: "#cloud-config\na: [" });
    expect(bad).toMatchObject({ status: 400, body: { fields: { userData: expect.any(String) } } });
    const added = await stack.api<{ id: number }>("POST", "/api/user-data-templates", template);
    expect(added).toMatchObject({ status: 201, body: template });
    expect((await stack.api("POST", "/api/user-data-templates", template)).status).toBe(409);
    const path = `/api/user-data-templates/${added.body.id}`;
    expect(await stack.api("PATCH", path, { description: "nginx" })).toMatchObject({
      status: 200,
      body: { ...template, description: "nginx" },
    });
    expect((await stack.api("DELETE", path)).status).toBe(204);
    expect((await stack.api("PATCH", path, { name: "x" })).status).toBe(404);
  });
});
