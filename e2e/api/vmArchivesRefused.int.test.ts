import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { badArchives } from "../../lib/archives/testing/badArchives";
import { bytesOf, tarOf } from "../../lib/archives/testing/tar";
import { variableStore } from "../../lib/images/testing/variableStore";
import { type Stack, startStack, until } from "../stack";
import { MiB, qcow2 } from "../testDisk";
import { archiveClient, soundArchive, vmJson } from "./archiveClient";
import { imageClient } from "./imageClient";
import { snapshotClient } from "./snapshotClient";

let stack: Stack;
let api: ReturnType<typeof snapshotClient>;
let archives: ReturnType<typeof archiveClient>;
/** Sound disks, of 8 and of 128 MiB. */
let disk: Buffer;
let large: Buffer;

beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
  api = snapshotClient(stack);
  archives = archiveClient(stack);
  disk = await qcow2(MiB);
  large = await qcow2(MiB, 128 * MiB);
});
afterAll(() => stack?.stop());

describe("an import leaves nothing", () => {
  test.each(badArchives.map((bad) => [bad.name, bad] as const))("of %s", async (_, { make, why }) => {
    const before = await archives.leftovers();
    const asked = await archives.sendTar(make(), "?name=bad");
    const ended = asked.status === 202 ? await api.ended(asked.body.id, "failed") : null;
    if (ended === null) expect(asked.status).toBe(400);
    expect(ended?.error ?? asked.body.detail).toMatch(why);
    await archives.expectNothingMore(before);
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
    const before = await archives.leftovers();
    const asked = await archives.sendTar(make(), "?name=bad");
    expect(asked.status).toBe(202);
    expect((await api.ended(asked.body.id, "failed")).error).toMatch(why);
    await archives.expectNothingMore(before);
  });

  test.each<[string, object, string, object]>([
    ["a name that is none", {}, "?name=Web_1", { status: 400, fields: { name: expect.any(String) } }],
    [
      "a network that isn't there",
      {},
      "?name=bad&network=nowhere",
      { status: 400, fields: { network: "There is no network nowhere." } },
    ],
    ["a network that is none", {}, "?name=bad&network=", { status: 400, fields: { network: expect.any(String) } }],
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
    const [before, count] = [await archives.leftovers(), (await archives.operations()).length];
    const { status, body } = await archives.sendTar(soundArchive(disk, change), query);
    expect({ ...body, status }).toMatchObject(wanted);
    expect((await archives.operations()).length).toBe(count);
    await archives.expectNothingMore(before);
  });

  test("of a body of another type, or of none", async () => {
    const form = await archives.send("x", "?name=bad", { headers: { "content-type": "text/plain" } });
    expect(form.status).toBe(400);
    expect((await archives.send(new Uint8Array(0), "?name=bad")).status).toBe(400);
  });

  test("when the name is taken while the archive comes: not even its image", async () => {
    const before = await archives.leftovers();
    const archive = await bytesOf(soundArchive(disk));
    const find = async () => (await archives.operations()).find(({ subject }) => subject === "rival");
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
    const asked = await archives.send(slow, "?name=rival");
    expect(asked.status, JSON.stringify(asked.body)).toBe(202);
    const { error } = await api.ended(asked.body.id, "failed");
    expect(error).toBe("Nothing was imported, since no VM could be created: A VM named rival exists already.");
    await archives.expectNothingMore({ ...before, vms: [...before.vms, "rival"].sort() });
    expect(await archives.imagesOf("rival")).toEqual([]);
  });

  test("when the same archive is imported twice by one name at once: one VM comes of it, with its image", async () => {
    const archive = new Uint8Array(await bytesOf(soundArchive(disk)));
    const asked = await Promise.all([archives.send(archive, "?name=both"), archives.send(archive, "?name=both")]);
    const accepted = asked.filter(({ status }) => status === 202);
    expect(asked.every(({ status }) => status === 202 || status === 409)).toBe(true);
    for (const { body } of accepted) {
      await until(
        "it ends",
        async () => (await archives.operations()).find(({ id }) => id === body.id)?.finishedAt != null,
      );
    }
    const made = [...(await archives.imagesOf("both")), ...(await archives.imagesOf("both-2"))];
    expect(made.map(({ vmCount }) => vmCount)).toEqual([1]);
  });

  test("when its disk is larger than it says, but an image that was there by its name and bytes stays", async () => {
    const mine = await imageClient(stack).uploaded("kept", large);
    const before = await archives.leftovers();
    for (const name of ["kept", "other"]) {
      const asked = await archives.sendTar(tarOf([vmJson(), { name: "disk.qcow2", content: large }]), `?name=${name}`);
      expect((await api.ended(asked.body.id, "failed")).error).toMatch(/Too small for this image/);
      await archives.expectNothingMore(before);
    }
    expect((await archives.imagesOf("kept")).map(({ id }) => id)).toEqual([mine.id]);
  });

  test("when its sender breaks off", async () => {
    const before = await archives.leftovers();
    const archive = await bytesOf(soundArchive(disk));
    const abort = new AbortController();
    const find = async () => (await archives.operations()).find(({ subject }) => subject === "broken");
    let isFirst = true;
    const endless = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (isFirst) {
          isFirst = false;
          return controller.enqueue(new Uint8Array(archive.subarray(0, 128 * 1024)));
        }
        await until("the host takes it", async () => (await find())?.status === "running");
        abort.abort();
      },
    });
    await expect(archives.send(endless, "?name=broken", { signal: abort.signal })).rejects.toThrow();
    await until("its operation has ended", async () => (await find())?.finishedAt != null);
    expect(await find()).toMatchObject({ status: "cancelled", error: null });
    await archives.expectNothingMore(before);
  });
});
