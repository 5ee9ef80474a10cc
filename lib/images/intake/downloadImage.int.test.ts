import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ImageDownload } from "../../domain/imageImport";
import { TaskSuspended } from "../../domain/taskSuspended";
import { until } from "../../hypervisor/testing/until";
import { projectDir } from "../../paths";
import { stagingFolder, sweepStagingFolders } from "../staging/folder";
import { imageFile, listImages, removeImage } from "../store";
import { file, type Handler, serveImages } from "../testing/imageServer";
import { isoVolume, qcow2Disk, rawDisk, testImage, testLimits } from "../testing/images";
import { emptyInstallation, recordingReport } from "../testing/store";
import { type DownloadOptions, downloadImage } from "./downloadImage";

const MiB = 2 ** 20;
const raw = rawDisk();
let folder: string;
let qcow2: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "images-"));
  qcow2 = await qcow2Disk(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** An installation that may fetch from the server, and how a download is asked of it. */
async function installationFor(host: string, env: Record<string, string> = {}) {
  const installation = await emptyInstallation({ CUMULUS_IMAGE_HOSTS: host, ...env });
  const report = recordingReport();
  const get = (request: ImageDownload, more: Partial<DownloadOptions> = {}) =>
    downloadImage(request, {
      ...{ operationId: 5, settings: installation.settings, signal: new AbortController().signal },
      ...{ limits: testLimits, pauseFactor: 0, report, ...more },
    });
  return { ...installation, report, get };
}

async function serving(paths: Record<string, Handler>) {
  const server = await serveImages(paths);
  return { server, ...(await installationFor(server.host)) };
}

function byUrl(url: string, { checksum = null as string | null, kind = "disk" as "disk" | "iso" } = {}): ImageDownload {
  return { from: "url", url, checksum, image: { ...testImage, kind } };
}

async function packed(program: string, content: Buffer): Promise<Buffer> {
  const { stdout } = await execa(program, ["-c"], { input: content, encoding: "buffer" });
  return Buffer.from(stdout);
}

async function contentOfDisk(path: string): Promise<Buffer> {
  const out = join(folder, "out.raw");
  await execa("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", path, out]);
  return readFile(out);
}

/** A catalogue of one image, and a mirror with what is published of it. */
async function mirror(published: { image: Buffer; sums: string }) {
  const server = await serveImages({
    "/images.example/a.qcow2": (...args) => file(published.image)(...args),
    "/images.example/SHA256SUMS": (_, response) => response.end(published.sums),
  });
  const installation = await installationFor("", { CUMULUS_IMAGE_MIRROR: server.url });
  await mkdir(installation.paths.catalogue, { recursive: true });
  await writeFile(
    join(installation.paths.catalogue, "own.yaml"),
    `- name: system-1
  aliases: [system_1]
  title: System 1
  os: { family: system, release: "1" }
  endOfLife: 2030-01-31
  loginUser: me
  minDiskBytes: 1G
  minMemoryBytes: 256M
  images:
    x86_64:
      firmwares: [uefi, bios]
      url: https://images.example/a.qcow2
      checksum: { url: https://images.example/SHA256SUMS, algorithm: sha256, format: list }
      downloadBytes: 1M`,
  );
  const add = () => installation.get({ from: "catalogue", catalogueId: "system-1-x86_64" });
  return { server, ...installation, add };
}

test("an image of the catalogue comes from the mirror, is verified, and is described as the catalogue does", async () => {
  const { add, paths, left, report } = await mirror({ image: qcow2, sums: `${sha256(qcow2)}  a.qcow2\n` });
  const image = await add();
  expect(image).toMatchObject({
    ...{ name: "system-1", title: "System 1", aliases: ["system_1"], sha256: sha256(qcow2), kind: "disk" },
    ...{ arch: "x86_64", firmware: "uefi", firmwares: ["uefi", "bios"], loginUser: "me", endOfLife: "2030-01-31" },
    ...{ virtualBytes: 1024 * MiB, fileBytes: qcow2.length, minMemoryBytes: 256 * MiB },
    source: {
      ...{ type: "catalogue", catalogueId: "system-1-x86_64", url: "https://images.example/a.qcow2" },
      checksum: `sha256:${sha256(qcow2)}`,
    },
  });
  expect(await left()).toHaveLength(2);
  expect(await listImages(paths, () => expect.unreachable())).toEqual([image]);
  expect(report.told.at(-1)).toMatchObject({ percent: 100 });
  const transfers = report.told.flatMap(({ transfer }) => (transfer ? [transfer] : []));
  expect(transfers.at(-1)).toMatchObject({ doneBytes: qcow2.length, totalBytes: qcow2.length });
});

test("what is here is not fetched again, until its maker publishes a new build", async () => {
  const published = { image: qcow2, sums: `${sha256(qcow2)}  a.qcow2\n` };
  const { add, server } = await mirror(published);
  const first = await add();
  expect(await add()).toEqual(first);
  const fetches = () => server.requests.filter(({ path }) => path.endsWith(".qcow2")).length;
  expect(fetches()).toBe(1);
  published.image = await qcow2Disk(folder);
  published.sums = `${sha256(published.image)}  a.qcow2\n`;
  expect((await add()).sha256).toBe(sha256(published.image));
  expect(fetches()).toBe(2);
});

test.each([
  ["another checksum", `${"0".repeat(64)}  a.qcow2\n`, /isn't the one that was published/],
  ["no checksum of it", `${"0".repeat(64)}  b.qcow2\n`, /has none for a.qcow2/],
])("an image whose maker publishes %s is refused, and nothing is left", async (_, sums, told) => {
  const { add, left } = await mirror({ image: qcow2, sums });
  await expect(add()).rejects.toMatchObject({ code: "unavailable", message: expect.stringMatching(told) });
  expect(await left()).toEqual([]);
});

test("an image that is cut on its way arrives, and tells of it", async () => {
  const { server, get, report } = await serving({ "/a": file(qcow2, { cuts: [100_000, 100_000] }) });
  expect(await get(byUrl(`${server.url}/a`, { checksum: `sha256:${sha256(qcow2)}` }))).toMatchObject({
    sha256: sha256(qcow2),
    title: "a",
  });
  expect(server.requests.at(-1)?.headers.range).toMatch(/^bytes=[1-9]/);
  expect(report.lines.join("\n")).toContain("was cut. Tries again");
});

test("parts that don't fit together under one entity tag are fetched anew", async () => {
  const answers: Handler = (request, response, count) => {
    if (count === 1) file(Buffer.alloc(qcow2.length, 1), { cuts: [100_000] })(request, response, 1);
    else file(qcow2)(request, response, 1);
  };
  const { server, get } = await serving({ "/a": answers });
  const image = await get(byUrl(`${server.url}/a`, { checksum: `sha256:${sha256(qcow2)}` }));
  expect(image.sha256).toBe(sha256(qcow2));
  expect(server.requests).toHaveLength(3);
});

test.each(["raw", "raw.gz", "raw.xz", "raw.zst", "qcow2.gz", "qcow2.xz"])(
  "%s becomes the same disk",
  async (format) => {
    const content = format.startsWith("raw") ? raw : qcow2;
    const served = format.endsWith("gz")
      ? gzipSync(content)
      : format.endsWith("xz")
        ? await packed("xz", content)
        : format.endsWith("zst")
          ? await packed("zstd", content)
          : content;
    const { server, get, paths } = await serving({ "/a": file(served) });
    const image = await get(byUrl(`${server.url}/a`, { checksum: `sha256:${sha256(served)}` }));
    expect(image).toMatchObject({ kind: "disk", virtualBytes: raw.length });
    const disk = await contentOfDisk(imageFile(paths, image.sha256));
    const expected = format.startsWith("raw") ? raw : null;
    if (expected) expect(expected.equals(disk)).toBe(true);
    else expect(image.sha256).toBe(sha256(qcow2));
  },
);

test("an ISO keeps its bytes, is named by its label, and can be removed", async () => {
  const iso = isoVolume("DEBIAN_12_NETINST");
  const { server, get, paths, left } = await serving({ "/a.iso": file(iso) });
  const image = await get(byUrl(`${server.url}/a.iso`, { kind: "iso" }));
  expect(image).toMatchObject({
    kind: "iso",
    title: "DEBIAN_12_NETINST",
    sha256: sha256(iso),
    virtualBytes: iso.length,
  });
  expect(iso.equals(await readFile(imageFile(paths, image.sha256, "iso")))).toBe(true);
  expect(await listImages(paths, () => expect.unreachable())).toEqual([image]);
  await removeImage(paths, image);
  expect(await left()).toEqual([]);
});

test.each(["", "CDROM", "CDROM1", "ISOIMAGE", "cd-rom", "ISO_1"])(
  "an ISO of the label %j, which tells nothing, is named as whoever brought it named it",
  async (label) => {
    const { server, get } = await serving({ "/a.iso": file(isoVolume(label)) });
    const { name, title } = await get(byUrl(`${server.url}/a.iso`, { kind: "iso" }));
    expect(title).toBe(name);
  },
);

test("the installed file can't be written, and its folder can't be listed by others", async () => {
  const { server, get, paths } = await serving({ "/a": file(qcow2) });
  const { sha256 } = await get(byUrl(`${server.url}/a`));
  expect((await stat(imageFile(paths, sha256))).mode & 0o227).toBe(0);
  expect((await stat(paths.images)).mode & 0o007).toBe(0);
});

test.each(["http://127.0.0.1:1/a", "http://localhost:1/a", "file:///etc/passwd", "http://[::ffff:10.0.0.1]/a"])(
  "%s is refused where nobody allowed it, and nothing is left",
  async (url) => {
    const { get, left } = await installationFor("");
    await expect(get(byUrl(url))).rejects.toMatchObject({ code: "bad_request" });
    expect(await left()).toEqual([]);
  },
);

test("a disk that is too full refuses before anything comes, and nothing is left", async () => {
  const { server, get, left } = await serving({ "/a": file(qcow2) });
  const limits = { ...testLimits, reserveBytes: 2 ** 60 };
  await expect(get(byUrl(`${server.url}/a`), { limits })).rejects.toMatchObject({ code: "insufficient_capacity" });
  expect(await left()).toEqual([]);
});

/** Sends the first part of a file, and then nothing. */
function hangs(content: Buffer, held: ServerResponse[]): Handler {
  return (request, response, count) => {
    if (count > 1) return file(content)(request, response, 1);
    held.push(response);
    response.writeHead(200, { "content-length": content.length, etag: '"one"' }).write(content.subarray(0, 200_000));
  };
}

test("a process that is killed in the middle is followed by one that goes on from there", async () => {
  const { server, get, settings, paths } = await serving({ "/a": hangs(qcow2, []) });
  const script = join(projectDir, "lib/images/testing/downloadOnce.ts");
  const env = {
    CUMULUS_DATA_DIR: settings.dataDir,
    CUMULUS_RUN_DIR: settings.runDir,
    CUMULUS_IMAGE_HOSTS: server.host,
  };
  const child = execa(process.execPath, ["--import", "tsx", script, `${server.url}/a`], {
    env,
    cwd: projectDir,
    reject: false,
  });
  const { received } = stagingFolder(paths, 5);
  try {
    await until(async () => (await stat(received).catch(() => null))?.size === 200_000, 60_000);
  } finally {
    child.kill("SIGKILL");
    await child;
  }
  expect(await get(byUrl(`${server.url}/a`))).toMatchObject({ sha256: sha256(qcow2) });
  expect(server.requests[1]?.headers.range).toBe("bytes=200000-");
});

test("an agent that stops keeps what has come; who cancels leaves nothing", async () => {
  for (const reason of [new TaskSuspended(), undefined]) {
    const { server, get, paths, left } = await serving({ "/a": hangs(qcow2, []) });
    const abort = new AbortController();
    const ended = get(byUrl(`${server.url}/a`), { signal: abort.signal }).catch((error: unknown) => error);
    await until(async () => (await stat(stagingFolder(paths, 5).received).catch(() => null))?.size === 200_000);
    abort.abort(reason);
    expect(await ended).toBe(abort.signal.reason);
    expect(await left()).toEqual(reason ? ["image-5"] : []);
    expect(await sweepStagingFolders(paths, (id) => id === 5)).toEqual([]);
    await sweepStagingFolders(paths, () => false);
    expect(await left()).toEqual([]);
  }
});

test("a download that is asked for again after it was done makes the same image", async () => {
  const { server, get, left } = await serving({ "/a": file(qcow2) });
  const first = await get(byUrl(`${server.url}/a`));
  expect(await get(byUrl(`${server.url}/a`))).toMatchObject({ sha256: first.sha256 });
  expect(await left()).toHaveLength(2);
});
