import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { badArchives } from "../../lib/archives/testing/badArchives";
import { archivedVm, tarOf } from "../../lib/archives/testing/tar";
import type { Image } from "../../lib/domain/image";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { variableStore } from "../../lib/images/testing/variableStore";
import { createSshClient, type SshClient } from "../sshClient";
import { type Stack, startStack, until } from "../stack";
import { imageClient, MiB, qcow2 } from "./imageClient";
import { type Problem, snapshotClient } from "./snapshotClient";

let stack: Stack;
let ssh: SshClient;
let api: ReturnType<typeof snapshotClient>;
/** Sound disks, of 8 and of 128 MiB. */
let disk: Buffer;
let large: Buffer;

beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
  api = snapshotClient(stack);
  ssh = await createSshClient();
  disk = await qcow2(MiB);
  large = await qcow2(MiB, 128 * MiB);
});
afterAll(async () => {
  await stack?.stop();
  await ssh?.remove();
});

const small = { ...archivedVm, diskBytes: 64 * MiB };
const vmJson = (change: object = {}) => ({ name: "vm.json", content: JSON.stringify({ ...small, ...change }) });
const sound = (change: object = {}) => tarOf([vmJson(change), { name: "disk.qcow2", content: disk }]);

async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const read: Buffer[] = [];
  for await (const chunk of chunks) read.push(chunk);
  return Buffer.concat(read);
}

async function send(body: BodyInit, query = "", options: RequestInit = {}) {
  const response = await fetch(`${stack.url}/api/vms/import${query}`, {
    method: "POST",
    duplex: "half",
    ...options,
    body,
    headers: {
      authorization: `Bearer ${stack.token}`,
      "content-type": "application/octet-stream",
      ...options.headers,
    },
  } as RequestInit);
  return { status: response.status, body: (await response.json()) as Operation & Problem };
}

const sendTar = async (chunks: AsyncIterable<Buffer>, query = "") => send(new Uint8Array(await bytesOf(chunks)), query);

/** The VM that an import makes. */
async function imported(chunks: AsyncIterable<Buffer>, query = ""): Promise<Vm> {
  const asked = await sendTar(chunks, query);
  expect(asked.status, JSON.stringify(asked.body)).toBe(202);
  const { result } = await api.ended(asked.body.id);
  return api.vmOf(result?.vmId as number);
}

const imagesOf = async (name: string) =>
  (await stack.api<{ items: Image[] }>("GET", "/api/images")).body.items.filter((image) => image.name === name);
const operations = async () => (await stack.api<{ items: Operation[] }>("GET", "/api/operations")).body.items;

/** What there is that an import could leave. */
async function leftovers() {
  const { dataDir } = stack.settings;
  const staging = (await readdir(join(dataDir, "staging"))).filter((name) => name.startsWith("image-"));
  const files = await readdir(join(dataDir, "images")).catch(() => [] as string[]);
  const vms = (await stack.api<{ items: Vm[] }>("GET", "/api/vms")).body.items.map(({ name }) => name);
  return { staging, files: files.sort(), vms };
}

async function expectNothingMore(before: Awaited<ReturnType<typeof leftovers>>): Promise<void> {
  await until("nothing is left", async () => JSON.stringify(await leftovers()) === JSON.stringify(before));
}

describe("a whole VM", () => {
  test("is exported and imported with its shape, keys and firmware, under another name and with an identity of its own", async () => {
    const keys = { name: "laptop", publicKey: ssh.publicKey };
    expect((await stack.api("POST", "/api/ssh-keys", keys)).status).toBe(201);
    const custom = { vcpus: 2, memory: "300M", disk: "3G", sshKeys: ["laptop"] };
    const { body: vm } = await stack.api<Vm>("POST", "/api/vms?wait=ready", {
      name: "origin",
      image: "mini",
      ...custom,
    });
    const exported = await api.does("POST", `/api/vms/${vm.id}/export`, { format: "archive" });
    expect(exported.result).toMatchObject({ format: "archive", file: expect.any(String) });
    const file = await fetch(stack.url + exported.result?.file, {
      headers: { authorization: `Bearer ${stack.token}` },
    });
    expect(file.headers.get("content-disposition")).toBe('attachment; filename="origin.tar"');
    const archive = Buffer.from(await file.arrayBuffer());

    const again = await imported(Readable.from([archive]), "?name=again");
    expect(again).toMatchObject({ name: "again", size: vm.size, sshKeys: vm.sshKeys, firmware: vm.firmware });
    expect(again.ssh.user).toBe(vm.ssh.user);
    for (const value of [(one: Vm) => one.mac, (one: Vm) => one.ipv4, (one: Vm) => one.ssh.port]) {
      expect(value(again)).not.toBe(value(vm));
    }
    await until("it is ready", async () => (await api.vmOf(again.id)).isReady);
    // Without a name: that of the archive, which is taken.
    const taken = await send(new Uint8Array(archive));
    expect(taken).toMatchObject({ status: 409, body: { fields: { name: "This name is taken." } } });
    await api.does("DELETE", `/api/vms/${vm.id}`);
    expect(await imported(Readable.from([archive]))).toMatchObject({ name: "origin", size: vm.size });
  });

  test("of a snapshot is as it was then, also when the VM has grown, or is gone", async () => {
    const vm = await api.create("grows", { vcpus: 1, memory: "256M", disk: "3G", size: undefined });
    const snapshot = await api.take(vm.id, { name: "small" });
    await api.does("POST", `/api/vms/${vm.id}/stop`);
    await stack.api("PATCH", `/api/vms/${vm.id}`, { memory: "512M", disk: "4G" });
    await stack.api("DELETE", `/api/vms/${vm.id}`);
    const { result } = await api.does("POST", `/api/snapshots/${snapshot.id}/export`, { format: "archive" });
    const file = await fetch(stack.url + result?.file, { headers: { authorization: `Bearer ${stack.token}` } });
    expect(file.headers.get("content-disposition")).toBe('attachment; filename="grows-small.tar"');
    const again = await imported(Readable.from([Buffer.from(await file.arrayBuffer())]), "?name=as-it-was");
    expect(again.size).toMatchObject({ memoryBytes: 256 * MiB, diskBytes: 3 * 1024 * MiB });
  });

  test("with UEFI has its variables in the image that it is made of", async () => {
    const vm = await api.create("with-uefi", { image: "installer", firmware: "uefi" });
    expect(vm.firmware).toBe("uefi");
    const { result } = await api.does("POST", `/api/vms/${vm.id}/export`, { format: "archive" });
    const file = await fetch(stack.url + result?.file, { headers: { authorization: `Bearer ${stack.token}` } });
    const again = await imported(Readable.from([Buffer.from(await file.arrayBuffer())]), "?name=uefi-again");
    expect(again.firmware).toBe("uefi");
    const [image] = await imagesOf("uefi-again");
    expect(image?.variablesSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(await readdir(join(stack.settings.dataDir, "images"))).toContain(`${image?.variablesSha256}.vars`);
  });

  test("is exported once by two who ask at once, but its disk alone is another file", async () => {
    const vm = await api.create("asked-twice");
    const ask = (format: string) => stack.api<Operation>("POST", `/api/vms/${vm.id}/export`, { format });
    const [one, two, other] = await Promise.all([ask("archive"), ask("archive"), ask("qcow2")]);
    expect(one.body.id).toBe(two.body.id);
    expect(other.body.id).not.toBe(one.body.id);
    for (const { body } of [one, other]) await api.ended(body.id);
  });

  test.each([{ format: "zip" }, { format: 7 }, { format: null }, { colour: "red" }])(
    "is not exported as %j",
    async (body) => {
      const vms = (await stack.api<{ items: Vm[] }>("GET", "/api/vms")).body.items;
      await api.refuses(`/api/vms/${vms[0]?.id}/export`, body, { status: 400, code: "bad_request" });
    },
  );
});

describe("an import leaves nothing", () => {
  test.each(badArchives.map((bad) => [bad.name, bad] as const))("of %s", async (_, { make, why }) => {
    const before = await leftovers();
    const asked = await sendTar(make(), "?name=bad");
    const ended = asked.status === 202 ? await api.ended(asked.body.id, "failed") : null;
    if (ended === null) expect(asked.status).toBe(400);
    expect(ended?.error ?? asked.body.detail).toMatch(why);
    await expectNothingMore(before);
  });

  test.each<[string, () => AsyncIterable<Buffer>, RegExp]>([
    [
      "whose disk is text",
      () => tarOf([vmJson(), { name: "disk.qcow2", content: "hello ".repeat(100) }]),
      /text|no qcow2/,
    ],
    [
      "whose disk leads to another file",
      () => {
        const leading = Buffer.from(disk);
        leading.writeBigUInt64BE(1024n, 8);
        leading.writeUInt32BE(11, 16);
        leading.write("/etc/shadow", 1024);
        return tarOf([vmJson(), { name: "disk.qcow2", content: leading }]);
      },
      /refers to|other file|backing/,
    ],
    [
      "with UEFI variables that are none",
      () =>
        tarOf([
          vmJson({ firmware: "uefi" }),
          { name: "uefi-variables.fd", content: "variables" },
          { name: "disk.qcow2", content: disk },
        ]),
      /variables are none that firmware has written/,
    ],
    [
      "with UEFI variables of another firmware",
      () =>
        tarOf([
          vmJson({ firmware: "uefi" }),
          { name: "uefi-variables.fd", content: variableStore() },
          { name: "disk.qcow2", content: disk },
        ]),
      /take 4 KiB, and those of this host's firmware/,
    ],
    [
      "with UEFI variables and a BIOS",
      () =>
        tarOf([
          vmJson(),
          { name: "uefi-variables.fd", content: variableStore() },
          { name: "disk.qcow2", content: disk },
        ]),
      /says that its VM boots by BIOS/,
    ],
  ])("of one %s", async (_, make, why) => {
    const before = await leftovers();
    const asked = await sendTar(make(), "?name=bad");
    expect(asked.status).toBe(202);
    expect((await api.ended(asked.body.id, "failed")).error).toMatch(why);
    await expectNothingMore(before);
  });

  test.each<[string, object, string, object]>([
    ["a name that is none", {}, "?name=Web_1", { status: 400, fields: { name: expect.any(String) } }],
    ["a query that isn't there", {}, "?name=a&colour=red", { status: 400 }],
    [
      "more memory than the host has",
      { memoryBytes: 2 ** 39 },
      "?name=bad",
      { status: 507, code: "insufficient_capacity" },
    ],
    [
      "a larger disk than the host has",
      { diskBytes: 2 ** 43 },
      "?name=bad",
      { status: 507, code: "insufficient_capacity" },
    ],
    ["a processor that the host can't emulate", { arch: "aarch64", firmware: "uefi" }, "?name=bad", { status: 400 }],
  ])("of one with %s, which is refused before its disk is taken", async (_, change, query, wanted) => {
    const [before, count] = [await leftovers(), (await operations()).length];
    const { status, body } = await sendTar(sound(change), query);
    expect({ ...body, status }).toMatchObject(wanted);
    expect((await operations()).length).toBe(count);
    await expectNothingMore(before);
  });

  test("of a body of another type, or of none", async () => {
    const form = await send("x", "?name=bad", { headers: { "content-type": "text/plain" } });
    expect(form.status).toBe(400);
    expect((await send(new Uint8Array(0), "?name=bad")).status).toBe(400);
  });

  test("when the name is taken while the archive comes: not even its image", async () => {
    const before = await leftovers();
    const archive = await bytesOf(sound());
    const find = async () => (await operations()).find(({ subject }) => subject === "rival");
    const parts = [archive.subarray(0, 4096), archive.subarray(4096)];
    const slow = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (parts.length === 1) {
          await until("what it says is looked at", async () => (await find()) !== undefined);
          const rival = { name: "rival", image: "mini", size: "nano" };
          expect((await stack.api("POST", "/api/vms", rival)).status).toBe(201);
        }
        const part = parts.shift();
        if (part) controller.enqueue(new Uint8Array(part));
        else controller.close();
      },
    });
    const asked = await send(slow, "?name=rival");
    expect(asked.status, JSON.stringify(asked.body)).toBe(202);
    const { error } = await api.ended(asked.body.id, "failed");
    expect(error).toBe("Nothing was imported, since no VM could be created: A VM named rival exists already.");
    await expectNothingMore({ ...before, vms: [...before.vms, "rival"].sort() });
    expect(await imagesOf("rival")).toEqual([]);
  });

  test("when the same archive is imported twice by one name at once: one VM comes of it, with its image", async () => {
    const archive = new Uint8Array(await bytesOf(sound()));
    const asked = await Promise.all([send(archive, "?name=both"), send(archive, "?name=both")]);
    const accepted = asked.filter(({ status }) => status === 202);
    expect(asked.every(({ status }) => status === 202 || status === 409)).toBe(true);
    for (const { body } of accepted) {
      await until("it ends", async () => (await operations()).find(({ id }) => id === body.id)?.finishedAt != null);
    }
    const made = [...(await imagesOf("both")), ...(await imagesOf("both-2"))];
    expect(made.map(({ vmCount }) => vmCount)).toEqual([1]);
  });

  test("when its disk is larger than it says, but an image that was there by its name and bytes stays", async () => {
    const mine = await imageClient(stack).uploaded("kept", large);
    const before = await leftovers();
    for (const name of ["kept", "other"]) {
      const asked = await sendTar(tarOf([vmJson(), { name: "disk.qcow2", content: large }]), `?name=${name}`);
      expect((await api.ended(asked.body.id, "failed")).error).toMatch(/Too small for this image/);
      await expectNothingMore(before);
    }
    expect((await imagesOf("kept")).map(({ id }) => id)).toEqual([mine.id]);
  });

  test("when its sender breaks off", async () => {
    const before = await leftovers();
    const archive = await bytesOf(sound());
    const abort = new AbortController();
    let isFirst = true;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (isFirst) controller.enqueue(new Uint8Array(archive.subarray(0, 128 * 1024)));
        else setTimeout(() => abort.abort(), 300);
        isFirst = false;
      },
    });
    await expect(send(endless, "?name=broken", { signal: abort.signal })).rejects.toThrow();
    const find = async () => (await operations()).find(({ subject }) => subject === "broken");
    await until("its operation has ended", async () => (await find())?.finishedAt != null);
    expect((await find())?.status).toMatch(/failed|cancelled/);
    await expectNothingMore(before);
  });
});

test("an archive that is imported twice is two VMs of one image file", async () => {
  const [one, two] = [await imported(sound(), "?name=twin-1"), await imported(sound(), "?name=twin-2")];
  expect(one.id).not.toBe(two.id);
  const [first, second] = [await imagesOf("twin-1"), await imagesOf("twin-2")];
  const hash = createHash("sha256").update(disk).digest("hex");
  expect([first[0]?.sha256, second[0]?.sha256]).toEqual([hash, hash]);
});
