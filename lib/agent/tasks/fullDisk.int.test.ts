import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { TaskState } from "../../domain/task";
import { MIB } from "../../domain/units";
import { pathsOf } from "../../env";
import { diskFile } from "../../hypervisor/diskRecord";
import type { Hypervisor } from "../../hypervisor/hypervisor";
import { machinePaths } from "../../hypervisor/machinePaths";
import { TestHost } from "../../hypervisor/testing/testHost";
import { defaultImageLimits } from "../../images/staging/limits";
import { imageFile } from "../../images/store";
import { file, type Handler, serveImages } from "../../images/testing/imageServer";
import { testImage } from "../../images/testing/images";
import { taskKinds } from "./kinds";
import { TaskRunner } from "./runner";

/** What fits beside the reserve. */
const roomBytes = 48 * MIB;
const isRoot = process.getuid?.() === 0;

const report = { progress() {}, log() {} };

let folder: string;
let host: TestHost;
let agent: Hypervisor;
let lastId = 0;

beforeAll(async () => {
  if (!isRoot) return;
  folder = await mkdtemp(join(tmpdir(), "full-"));
  const size = `size=${defaultImageLimits.reserveBytes + roomBytes}`;
  await execa("mount", ["-t", "tmpfs", "-o", `${size},mode=711`, "tmpfs", folder]);
  vi.stubEnv("TMPDIR", folder);
  host = await TestHost.make();
  vi.unstubAllEnvs();
  agent = await host.agent();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await host?.close();
  if (!folder) return;
  await unmount(folder);
  await rm(folder, { recursive: true });
});

/** A program that has just been ended may keep a file open for a moment yet. */
async function unmount(path: string): Promise<void> {
  const { exitCode, stderr } = await execa("umount", [path], { reject: false, env: { LC_ALL: "C" } });
  if (exitCode === 0) return;
  expect(stderr).toContain("busy");
  await execa("umount", ["--lazy", path]);
}

/** Not one byte is zero: it takes all of its size on a disk. */
const large = Buffer.alloc(2 * roomBytes, 1);

async function packed(program: string): Promise<Buffer> {
  return Buffer.from((await execa(program, ["-c", "-1"], { input: large, encoding: "buffer" })).stdout);
}

const served: [what: string, serve: () => Promise<Handler>][] = [
  [
    "download of unknown size",
    async () => (_, response) => Readable.from([large.subarray(0, 40 * MIB), large]).pipe(response),
  ],
  ["gz that unpacks to more", async () => file(gzipSync(large))],
  ["xz that unpacks to more", async () => file(await packed("xz"))],
  ["zst that unpacks to more", async () => file(await packed("zstd"))],
  [
    "raw disk that is converted",
    async () =>
      file(
        randomBytes(30 * MIB)
          .fill(0x55, 510, 511)
          .fill(0xaa, 511, 512),
      ),
  ],
];

// Only root can mount a small disk.
describe.skipIf(!isRoot)(
  "a disk that becomes full in the middle is told, all of the work goes, and other images stay",
  () => {
    test.each(served)("of a %s", async (_, serve) => {
      const server = await serveImages({ "/a": await serve() });
      const request = { from: "url", url: `${server.url}/a`, checksum: null, image: testImage };
      await isRefused("image-download", request, [server.host]);
    });

    test("of a build", async () => {
      await isRefused("image-build", { name: "mini", arch: "x86_64" });
    });

    test("of a recipe, whose machine would wait for room", async () => {
      // The test guest writes its disk full at a "w".
      const steps = [
        { type: "console", expect: "boot done", send: "w" },
        { type: "console", expect: "never said" },
      ];
      await isRefused("image-customize", {
        base: { sha256: host.imageSha256, name: "test-guest" },
        recipe: { name: "full", title: "Full", place: "console", steps },
      });
    });

    test("of a capture and an export", async () => {
      await agent.ensure(await host.spec(1));
      const disk = await diskFile(machinePaths(host.settings, 1));
      await execa("qemu-io", ["-f", "qcow2", "-c", "write -P 0x11 2M 30M", disk]);
      const { kind: _, ...image } = testImage;
      const described = { title: "Captured", firmware: "bios" };
      const ballast = join(host.settings.dataDir, "ballast");
      await execa("fallocate", ["--length", String(defaultImageLimits.reserveBytes), ballast]);
      await isRefused("image-capture", { disk: { vmId: 1 }, image: { ...image, ...described } });
      await isRefused("disk-export", { source: { vmId: 1 } });
      // Past the reserve, to the last byte.
      const { layers, staging } = pathsOf(host.settings);
      const written = agent.exportDisk(
        { vmId: 1 },
        { disk: join(staging, "disk.qcow2") },
        report,
        new AbortController().signal,
      );
      await expect(written).rejects.toMatchObject({ code: "insufficient_capacity" });
      expect((await readdir(layers)).filter((name) => name.startsWith(".exporting"))).toEqual([]);
      await rm(ballast);
      await agent.remove(1);
    });
  },
);

async function isRefused(kind: string, params: unknown, imageHosts: string[] = []): Promise<void> {
  const settings = { ...host.settings, imageHosts };
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const tasks = new TaskRunner({ settings, hypervisor: agent, log, kinds: taskKinds });
  const id = ++lastId;
  await tasks.put(id, kind, params);
  let state: TaskState = await tasks.get(id);
  while (state.status === "running") state = await tasks.get(id, state.version, 5_000);
  expect(state).toMatchObject({
    status: "failed",
    error: {
      code: "insufficient_capacity",
      message: expect.stringMatching(/^(This host's disk|The disk of this host) .*\.$/),
    },
  });
  const paths = pathsOf(settings);
  expect(await readdir(paths.staging)).toEqual([]);
  expect(await readdir(paths.exports).catch(() => [])).toEqual([]);
  expect((await readdir(paths.images)).sort()).toEqual([
    `${host.imageSha256}.qcow2`,
    `${host.imageSha256}.test-guest.json`,
  ]);
  const content = await readFile(imageFile(paths, host.imageSha256));
  expect(createHash("sha256").update(content).digest("hex")).toBe(host.imageSha256);
  await tasks.close();
}
