import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CumulusError } from "../../domain/errors";
import { type ImageUpload, imageUploadSchema } from "../../domain/imageImport";
import { TaskSuspended } from "../../domain/taskSuspended";
import { projectDir } from "../../paths";
import { stagingFolder } from "../staging/folder";
import { isoVolume, qcow2Disk, rawDisk, testImage, testLimits } from "../testing/images";
import { emptyInstallation, recordingReport } from "../testing/store";
import { type UploadOptions, uploadImage } from "./uploadImage";

const MiB = 2 ** 20;
let folder: string;
let qcow2: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "images-"));
  qcow2 = await qcow2Disk(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const upload: ImageUpload = { fileName: "../../etc/passwd", checksum: null, image: testImage };

/** An installation that takes uploads; `send` is a sender and the task that takes its file. */
async function receiver() {
  const installation = await emptyInstallation();
  const report = recordingReport();
  const common = {
    ...{ operationId: 5, settings: installation.settings, report, limits: testLimits },
    signal: new AbortController().signal,
  };
  const send = (body: Readable, { request = upload, contentLength = null, ...more }: SendOptions = {}) =>
    uploadImage(request, { ...common, ...more }, (receive) => receive({ body, contentLength }));
  /** The task is run and no sender comes, as after the agent's restart. */
  const sendNothing = () =>
    uploadImage(upload, common, () => Promise.reject(new CumulusError("bad_request", "Nobody came.")));
  return { ...installation, report, send, sendNothing };
}

interface SendOptions extends Partial<UploadOptions> {
  request?: ImageUpload;
  contentLength?: number | null;
}

/** Sends in parts, as a network does. */
function inParts(content: Buffer, size = 100_000): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
    })(),
  );
}

test("an upload is received with progress and becomes an image; its name is no path", async () => {
  const { send, report, left } = await receiver();
  const sha256 = createHash("sha256").update(qcow2).digest("hex");
  const request = { ...upload, checksum: `sha256:${sha256}` };
  const image = await send(inParts(qcow2), { request, contentLength: qcow2.length });
  expect(image).toMatchObject({ sha256, name: "a", source: { type: "upload", fileName: "../../etc/passwd" } });
  const transfers = report.told.flatMap(({ transfer }) => (transfer ? [transfer] : []));
  expect(transfers.at(-1)).toMatchObject({ doneBytes: qcow2.length, totalBytes: qcow2.length });
  expect(await left()).toHaveLength(2);
});

test("an ISO is uploaded as well", async () => {
  const { send } = await receiver();
  const request = imageUploadSchema.parse({ ...upload, image: { ...testImage, kind: "iso", title: "Set-up" } });
  expect(await send(inParts(isoVolume("X")), { request })).toMatchObject({ kind: "iso", title: "Set-up" });
});

test.each<[string, (body: PassThrough) => void, SendOptions, RegExp]>([
  ["breaks off", (body) => body.write(qcow2, () => body.destroy()), {}, /broke off/],
  ["ends early", (body) => body.end(qcow2.subarray(0, 1000)), { contentLength: 5000 }, /broke off/],
  ["stalls", (body) => body.write(qcow2), { stallTimeoutMs: 50 }, /nothing for 0.05 s/],
  ["says that it is too large", (body) => body.end(qcow2), { contentLength: 65 * MiB }, /larger than 64 MiB/],
  ["is too large", (body) => body.end(Buffer.alloc(65 * MiB)), {}, /larger than 64 MiB/],
])("an upload that %s leaves nothing", async (_, write, more, told) => {
  const { send, left } = await receiver();
  const body = new PassThrough();
  body.on("error", () => {});
  const sent = send(body, more);
  write(body);
  await expect(sent).rejects.toMatchObject({ name: "CumulusError", message: expect.stringMatching(told) });
  expect(await left()).toEqual([]);
});

test.skipIf(process.getuid?.() !== 0).each([
  ["to the last byte", 0],
  ["to its reserve", 16 * MiB],
])("an upload that fills the disk %s is refused, and nothing is left", async (_, reserveBytes) => {
  const { send, settings, left } = await receiver();
  await mkdir(settings.dataDir, { recursive: true });
  await execa("mount", ["-t", "tmpfs", "-o", "size=40m", "tmpfs", settings.dataDir]);
  try {
    const limits = { ...testLimits, reserveBytes };
    await expect(send(inParts(Buffer.alloc(60 * MiB, 1), MiB), { limits })).rejects.toMatchObject({
      code: "insufficient_capacity",
    });
    expect(await left()).toEqual([]);
  } finally {
    await execa("umount", [settings.dataDir]);
  }
});

test("an upload with another checksum than was said leaves nothing", async () => {
  const { send, left } = await receiver();
  const request = { ...upload, checksum: `sha256:${"0".repeat(64)}` };
  await expect(send(inParts(qcow2), { request })).rejects.toMatchObject({ code: "bad_request" });
  expect(await left()).toEqual([]);
});

test("an upload that is cancelled leaves nothing", async () => {
  const { send, left } = await receiver();
  const abort = new AbortController();
  const body = new PassThrough();
  const sent = send(body, { signal: abort.signal });
  body.write(qcow2, () => abort.abort(new Error("enough")));
  await expect(sent).rejects.toThrow("enough");
  expect(await left()).toEqual([]);
});

test("what was received whole when the agent stopped becomes an image when it is back, without its sender", async () => {
  const { send, sendNothing, left, paths } = await receiver();
  const abort = new AbortController();
  const report = {
    progress() {},
    log: (line: string) => line.endsWith("received.") && abort.abort(new TaskSuspended()),
  };
  // Noticed between receiving and installing: the sender was told that all has come.
  const sent = send(inParts(rawDisk()), { signal: abort.signal, report });
  await expect(sent).rejects.toBeInstanceOf(TaskSuspended);
  expect(await left()).toEqual(["image-5"]);
  expect(await readdir(stagingFolder(paths, 5).path)).toContain("received");
  expect(await sendNothing()).toMatchObject({ virtualBytes: rawDisk().length });
});

test("what was not received whole when the agent was killed is no image, and goes", async () => {
  const { sendNothing, left, paths } = await receiver();
  const { path, receiving } = stagingFolder(paths, 5);
  await mkdir(path, { recursive: true });
  await writeFile(receiving, rawDisk().subarray(0, 2 * MiB));
  await expect(sendNothing()).rejects.toThrow("Nobody came.");
  expect(await left()).toEqual([]);
});

test("a disk with more data than an image may hold is refused while it is converted, and nothing is left", async () => {
  const { send, left } = await receiver();
  const limits = { ...testLimits, allocatedBytes: 128 * 1024 };
  await expect(send(inParts(rawDisk()), { limits })).rejects.toMatchObject({ code: "too_large" });
  expect(await left()).toEqual([]);
});

test("2 GiB are received and installed with less than 300 MB of resident memory", { timeout: 600_000 }, async () => {
  const { settings } = await emptyInstallation();
  const env = { CUMULUS_DATA_DIR: settings.dataDir, CUMULUS_RUN_DIR: settings.runDir };
  const script = join(projectDir, "lib/images/testing/uploadServer.ts");
  const child = execa(process.execPath, ["--import", "tsx", script], { env, cwd: projectDir });
  const lines = child.iterable();
  try {
    const port = Number((await lines.next()).value);
    const totalBytes = 2048 * MiB;
    const sending = request({ port, method: "PUT", headers: { "content-length": totalBytes } });
    const first = Buffer.alloc(MiB);
    first.writeUInt16LE(0xaa55, 510);
    const rest = Buffer.alloc(MiB);
    const body = function* () {
      yield first;
      for (let sent = MiB; sent < totalBytes; sent += MiB) yield rest;
    };
    await pipeline(body, sending);
    const { manifest, peakBytes } = JSON.parse(String((await lines.next()).value));
    expect(manifest).toMatchObject({ virtualBytes: totalBytes });
    expect(peakBytes).toBeLessThan(300e6);
  } finally {
    child.kill("SIGKILL");
    await child.catch(() => {});
  }
});
