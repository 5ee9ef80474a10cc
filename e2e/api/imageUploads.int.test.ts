import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Operation } from "../../lib/domain/operation";
import { type Stack, startStack, until } from "../stack";
import { MiB, qcow2 } from "../testDisk";
import { imageClient } from "./imageClient";

let stack: Stack;
let api: ReturnType<typeof imageClient>;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
  api = imageClient(stack);
});
afterAll(async () => {
  await stack?.stop();
});

describe("an upload", () => {
  test("becomes an image that can be fetched again, whole or from a byte on", async () => {
    const bytes = await qcow2(2 * MiB);
    const image = await api.uploaded("mine", bytes);
    expect(image).toMatchObject({ name: "mine", source: { type: "upload", fileName: "mine.qcow2" } });
    const get = (headers: Record<string, string>) =>
      fetch(`${stack.url}/api/images/${image.id}/file`, {
        headers: { authorization: `Bearer ${stack.token}`, ...headers },
      });
    const whole = await get({});
    expect(whole.headers.get("content-disposition")).toBe('attachment; filename="mine.qcow2"');
    expect(whole.headers.get("content-length")).toBe(String(bytes.length));
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
    const rest = await get({ range: "bytes=1000-" });
    expect(rest.status).toBe(206);
    expect(rest.headers.get("content-length")).toBe(String(bytes.length - 1000));
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
    const response = await api.upload(query, body, { headers });
    expect(response.status).toBe(400);
    const { fields = {} } = await response.json();
    if (field) expect(Object.keys(fields)).toContain(field);
    const after = await stack.api<{ items: Operation[] }>("GET", "/api/operations");
    expect(after.body.items.length).toBe(operations.body.items.length);
  });

  test("of what is no image, or has another checksum, is refused with the reason, and leaves nothing", async () => {
    const before = await api.images();
    const other = await api.upload({ name: "a", fileName: "a.img", checksum: `sha256:${"0".repeat(64)}` }, "hello");
    expect(other.status).toBe(400);
    expect((await other.json()).detail).toMatch(/checksum/);
    const text = await api.upload({ name: "a", fileName: "a.img" }, "root:x:0:0:root:/root:/bin/bash\n");
    expect(text.status).toBe(202);
    const operation = await api.ended((await text.json()).id);
    expect(operation).toMatchObject({ status: "failed", error: expect.stringMatching(/text/) });
    expect(await api.images()).toEqual(before);
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
    const sent = api.upload({ name: "broken", fileName: "broken.img" }, endless, { signal: abort.signal });
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
    const sent = api.upload({ name: "unwanted", fileName: "unwanted.img" }, slow);
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

  test("of 2 GiB passes through the console and the agent without being held in them", async () => {
    const pids = [await stack.pidOf("console"), await stack.pidOf("agent")].map((pid) => pid ?? 0);
    const total = 2048 * MiB;
    let sent = 0;
    const chunk = new Uint8Array(MiB).fill(0x5a);
    const big = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent >= total) return controller.close();
        sent += chunk.length;
        controller.enqueue(chunk);
      },
    });
    // What starting took is not the upload's.
    for (const pid of pids) await writeFile(`/proc/${pid}/clear_refs`, "5");
    // A file of one byte over and over is refused as no image, after all of it was received.
    const response = await api.upload({ name: "big", fileName: "big.img" }, big);
    expect(response.status).toBe(202);
    await api.ended((await response.json()).id);
    expect(sent).toBe(total);
    for (const pid of pids) expect(await peakResidentBytes(pid)).toBeLessThan(300e6);
  });
});

async function leftInStaging(): Promise<string[]> {
  const names = await readdir(join(stack.settings.dataDir, "staging"));
  return names.filter((name) => name.startsWith("image-"));
}

/** As the kernel saw it: no peak lies between two looks. */
async function peakResidentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
