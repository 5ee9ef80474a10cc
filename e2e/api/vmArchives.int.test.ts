import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Network } from "../../lib/domain/network";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { createSshClient, type SshClient } from "../sshClient";
import { type Stack, startStack, until } from "../stack";
import { MiB, qcow2 } from "../testDisk";
import { archiveClient, soundArchive } from "./archiveClient";
import { snapshotClient } from "./snapshotClient";

let stack: Stack;
let api: ReturnType<typeof snapshotClient>;
let archives: ReturnType<typeof archiveClient>;
let ssh: SshClient;
let disk: Buffer;

beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
  api = snapshotClient(stack);
  archives = archiveClient(stack);
  ssh = await createSshClient();
  disk = await qcow2(MiB);
});
afterAll(async () => {
  await stack?.stop();
  await ssh?.remove();
});

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

    const again = await archives.imported(Readable.from([archive]), "?name=again");
    expect(again).toMatchObject({ name: "again", size: vm.size, sshKeys: vm.sshKeys, firmware: vm.firmware });
    expect(again.ssh.user).toBe(vm.ssh.user);
    for (const value of [(one: Vm) => one.mac, (one: Vm) => one.ipv4, (one: Vm) => one.ssh.port]) {
      expect(value(again)).not.toBe(value(vm));
    }
    await until("it is ready", async () => (await api.vmOf(again.id)).isReady);
    // Without a name: that of the archive, which is taken.
    const taken = await archives.send(new Uint8Array(archive));
    expect(taken).toMatchObject({ status: 409, body: { fields: { name: "This name is taken." } } });
    await api.does("DELETE", `/api/vms/${vm.id}`);
    expect(await archives.imported(Readable.from([archive]))).toMatchObject({ name: "origin", size: vm.size });
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
    const again = await archives.imported(Readable.from([Buffer.from(await file.arrayBuffer())]), "?name=as-it-was");
    expect(again.size).toMatchObject({ memoryBytes: 256 * MiB, diskBytes: 3 * 1024 * MiB });
  });

  test("comes into the network that is named, and into default where none is, whatever it says itself", async () => {
    await stack.api<Network>("POST", "/api/networks", { name: "lab", cidr: "10.20.0.0/24" });
    const vm = await api.create("inside", { network: "lab" });
    const { result } = await api.does("POST", `/api/vms/${vm.id}/export`, { format: "archive" });
    const file = await fetch(stack.url + result?.file, { headers: { authorization: `Bearer ${stack.token}` } });
    const archive = Buffer.from(await file.arrayBuffer());
    const networkAfter = async (query: string) =>
      (await archives.imported(Readable.from([archive]), query)).network.name;
    expect(await networkAfter("?name=unasked")).toBe("default");
    expect(await networkAfter("?name=chosen&network=lab")).toBe("lab");
  });

  test("with UEFI has its variables in the image that it is made of", async () => {
    const vm = await api.create("with-uefi", { image: "installer", firmware: "uefi" });
    expect(vm.firmware).toBe("uefi");
    const { result } = await api.does("POST", `/api/vms/${vm.id}/export`, { format: "archive" });
    const file = await fetch(stack.url + result?.file, { headers: { authorization: `Bearer ${stack.token}` } });
    const again = await archives.imported(Readable.from([Buffer.from(await file.arrayBuffer())]), "?name=uefi-again");
    expect(again.firmware).toBe("uefi");
    const [image] = await archives.imagesOf("uefi-again");
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

test("an archive that is imported twice is two VMs of one image file", async () => {
  const [one, two] = [
    await archives.imported(soundArchive(disk), "?name=twin-1"),
    await archives.imported(soundArchive(disk), "?name=twin-2"),
  ];
  expect(one.id).not.toBe(two.id);
  const [first, second] = [await archives.imagesOf("twin-1"), await archives.imagesOf("twin-2")];
  const hash = createHash("sha256").update(disk).digest("hex");
  expect([first[0]?.sha256, second[0]?.sha256]).toEqual([hash, hash]);
});
