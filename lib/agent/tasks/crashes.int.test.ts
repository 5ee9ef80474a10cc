import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { makeRepository } from "../../backups/restic";
import { keepCopy, listCopies } from "../../backups/store";
import type { RepositoryAccess, VmDescription } from "../../domain/backup";
import type { ImageIdentity } from "../../domain/image";
import type { TaskState } from "../../domain/task";
import { pathsOf, type Settings } from "../../env";
import type { Failpoint, imageFailpoints } from "../../failpoints";
import { diskFile } from "../../hypervisor/diskRecord";
import type { Hypervisor } from "../../hypervisor/hypervisor";
import { machinePaths } from "../../hypervisor/machinePaths";
import { TestHost } from "../../hypervisor/testing/testHost";
import { until } from "../../hypervisor/testing/until";
import { imageFile, installImage } from "../../images/store";
import { testAppliance } from "../../images/testing/appliance";
import { file, serveImages } from "../../images/testing/imageServer";
import { rawDisk, testImage } from "../../images/testing/images";
import { projectDir } from "../../paths";
import { commandLineOf, isAlive, type ProcessIdentity, startTimeOf } from "../../system/platform";
import { UploadDesk } from "../uploads";
import { taskKinds } from "./kinds";
import { TaskRunner } from "./runner";
import type { CrashingTask } from "./testing/crashingTask";

type Act = "download" | "upload" | "build" | "recipe" | "capture" | "remove" | "export" | Backup;
type Backup = "backup" | "backup-restore" | "backup-remove";

/** In which acts the code comes to each place. A new place is a type error until it stands here, and then it is tested. */
const actsOf: Record<(typeof imageFailpoints)[number], readonly Act[]> = {
  "agent.task.written": ["download"],
  "agent.task.worked": ["download", "export", "backup"],
  "agent.task.end-written": ["download"],
  "agent.work.folder-made": ["capture"],
  "agent.download.begun": ["download"],
  "agent.download.received": ["download"],
  "agent.upload.receiving": ["upload"],
  "agent.upload.received": ["upload"],
  "agent.intake.expanded": ["download"],
  "agent.intake.converted": ["upload"],
  "agent.install.staged": ["capture"],
  "agent.install.moved": ["download"],
  "agent.install.described": ["capture", "recipe", "backup-restore"],
  "agent.image-remove.undescribed": ["remove"],
  "agent.build.made": ["build"],
  "agent.recipe.overlay-made": ["recipe"],
  "agent.recipe.changed": ["recipe"],
  "agent.recipe.flattened": ["recipe"],
  "agent.export.written": ["capture", "export"],
  "agent.export.moved": ["capture", "export"],
  "agent.backup.kept": ["backup"],
  "agent.backup.verified": ["backup"],
  "agent.backup-restore.fetched": ["backup-restore"],
  "agent.backup-remove.removed": ["backup-remove"],
};

const kindOf: Record<Act, keyof typeof taskKinds> = {
  download: "image-download",
  upload: "image-upload",
  build: "image-build",
  recipe: "image-customize",
  capture: "image-capture",
  remove: "image-remove",
  export: "disk-export",
  backup: "backup",
  "backup-restore": "backup-restore",
  "backup-remove": "backup-remove",
};
const imageActs: readonly Act[] = ["download", "upload", "build", "recipe", "capture", "backup-restore"];

const script = join(projectDir, "lib", "agent", "tasks", "testing", "crashingTask.ts");
const report = { progress() {}, log() {} };
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const { signal } = new AbortController();
const description: VmDescription = {
  ...{
    name: "web-1",
    vcpus: 1,
    memoryBytes: 2 ** 25,
    diskBytes: 2 ** 26,
    imageTitle: "Test guest",
    loginUser: "nobody",
  },
  ...{ arch: "x86_64", firmware: "bios", os: null, sshKeys: [], takenAt: "2026-11-22T10:00:00.000Z" },
};
const upload = rawDisk();

let host: TestHost;
let settings: Settings;
let agent: Hypervisor;
let access: RepositoryAccess;
/** What an upload brings. */
let bringFile: string;
let lastId = 10;

beforeAll(async () => {
  host = await TestHost.make();
  settings = host.settings;
  await mkdir(testAppliance, { recursive: true });
  await symlink(testAppliance, pathsOf(settings).appliance);
  agent = await host.agent();
  // VM 1 is off, and has the snapshot 1.
  await agent.ensure(await host.spec(1));
  // What is made of its disk is another image than the one that it started from.
  const disk = await diskFile(machinePaths(settings, 1));
  await execa("qemu-io", ["-f", "qcow2", "-c", "write -P 0x11 40M 64k", disk]);
  await agent.takeSnapshot(1, { snapshotId: 1, operationId: 1, memory: false, freeze: false }, report, signal);
  bringFile = join(settings.dataDir, "brought");
  await writeFile(bringFile, upload);
  const path = join(settings.dataDir, "repository");
  await mkdir(path);
  access = { place: { kind: "folder", path }, password: "correct horse" };
  await makeRepository(access);
  await keepCopy(access, await exported(), description, report, signal);
  await agent.close();
});
afterAll(async () => {
  await host?.close();
});

/** A folder with the snapshot's disk, as a backup has it. */
async function exported(): Promise<string> {
  const folder = join(settings.dataDir, "exported");
  await mkdir(folder);
  await agent.exportDisk({ snapshotId: 1 }, join(folder, "disk.qcow2"), report, signal);
  return folder;
}

const cases = Object.entries(actsOf).flatMap(([place, acts]) => acts.map((act) => [place as Failpoint, act] as const));

describe("an agent killed on its way", { timeout: 400_000 }, () => {
  test.each(cases)(
    "at %s of %s: the task goes on or ends with a reason, and nothing half done stays",
    async (place, act) => {
      const id = ++lastId;
      const images = await namesIn("images");
      const copies = await listCopies(access);
      const params = await paramsOf(act);
      const before = await namesIn("images");
      await crash({
        settings,
        id,
        kind: kindOf[act],
        params,
        failpoint: place,
        uploadFile: act === "upload" ? bringFile : null,
      });

      agent = await host.agent();
      const uploads = new UploadDesk(1_000);
      const tasks = new TaskRunner({ settings, hypervisor: agent, log: silent, kinds: taskKinds, uploads });
      await tasks.recover();
      const state = await ended(tasks, id);
      // Its sender is gone, and what had come by then is not all.
      const isLost = place === "agent.upload.receiving";
      expect(state).toMatchObject(
        isLost
          ? { status: "failed", error: { message: expect.stringMatching(/send it again\.$/) } }
          : { status: "done" },
      );
      await isWhole();
      const made = (await namesIn("images")).filter((name) => !before.includes(name) && name.endsWith(".json"));
      expect(made).toHaveLength(imageActs.includes(act) && !isLost ? 1 : 0);
      for (const name of made)
        await agent.removeImage({ sha256: name.slice(0, 64), name: name.slice(65, -".json".length) });
      expect(await namesIn("images")).toEqual(images);
      if (act === "backup") {
        expect((await listCopies(access)).map(({ key }) => key)).toContain((state.result as { key: string }).key);
      }
      const change = { backup: 1, "backup-remove": -1 }[act as string] ?? 0;
      expect(await listCopies(access)).toHaveLength(copies.length + change);
      expect(await namesIn("exports")).toEqual(act === "export" ? [`${id}.qcow2`] : []);
      await rm(pathsOf(settings).exports, { recursive: true, force: true });
      await tasks.close();
      await agent.close();
    },
  );
});

/** Long work, and the program of which it is waited that it runs. */
const programs: [what: string, program: RegExp, kind: keyof typeof taskKinds, params: () => Promise<unknown>][] = [
  [
    "a recipe's machine",
    /qemu-system/,
    "image-customize",
    async () => recipeOf("console", { type: "console", expect: "never said" }),
  ],
  [
    "libguestfs' machine",
    /qemu-system/,
    "image-customize",
    async () => recipeOf("disk", { type: "timezone", timezone: "UTC" }),
  ],
  ["mmdebstrap", /apt-get|apt\/methods/, "image-build", async () => ({ name: "debian-12", arch: "x86_64" })],
  ["restic", /^restic/, "backup", async () => ({ access: await deafStore(), snapshotId: 1, description })],
];

describe("an agent that is killed", { timeout: 400_000 }, () => {
  test.each(programs)(
    "takes along %s and all that it has started; the next one goes on",
    async (_, program, kind, paramsOf) => {
      const id = ++lastId;
      const ask: CrashingTask = { settings, id, kind, params: await paramsOf(), failpoint: null, uploadFile: null };
      const dying = execa(process.execPath, ["--import", "tsx", script, JSON.stringify(ask)], {
        cwd: projectDir,
        reject: false,
      });
      let started: Started[] = [];
      try {
        await until(async () => {
          started = await descendantsOf(dying.pid ?? 0);
          return started.some(({ commandLine }) => program.test(commandLine));
        }, 200_000);
      } finally {
        dying.kill("SIGKILL");
        await dying;
      }
      await until(async () => (await Promise.all(started.map(isAlive))).every((alive) => !alive));

      agent = await host.agent();
      const tasks = new TaskRunner({ settings, hypervisor: agent, log: silent, kinds: taskKinds });
      await tasks.recover();
      expect(await tasks.get(id)).toMatchObject({ status: "running" });
      tasks.cancel(id);
      expect(await ended(tasks, id)).toMatchObject({ status: "cancelled" });
      await isWhole();
      await tasks.close();
      await agent.close();
    },
  );
});

interface Started extends ProcessIdentity {
  commandLine: string;
}

/** All that a process has started, and what that has. */
async function descendantsOf(ancestor: number): Promise<Started[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const parents = new Map<number, number>();
  for (const name of names) {
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && parent > 0 && (parent === ancestor || isBelow(parent));
  };
  const found: Started[] = [];
  for (const pid of [...parents.keys()].filter(isBelow)) {
    const [startTime, commandLine] = [await startTimeOf(pid), await commandLineOf(pid)];
    if (startTime !== null && commandLine !== null) found.push({ pid, startTime, commandLine });
  }
  return found;
}

function recipeOf(place: string, step: object): unknown {
  return {
    base: { sha256: host.imageSha256, name: "test-guest" },
    recipe: { name: "r", title: "R", place, steps: [step] },
  };
}

/** A store that takes requests and answers none. */
async function deafStore(): Promise<RepositoryAccess> {
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const bucket = { bucket: "copies", prefix: "", accessKeyId: "key", secretAccessKey: "secret" };
  return { place: { kind: "s3", endpoint: `http://127.0.0.1:${port}`, ...bucket }, password: "correct horse" };
}

async function paramsOf(act: Act): Promise<unknown> {
  const { kind: _, ...image } = testImage;
  switch (act) {
    case "download": {
      const server = await serveImages({ "/disk.raw.gz": file(gzipSync(upload)) });
      settings = { ...host.settings, imageHosts: [server.host] };
      return { from: "url", url: `${server.url}/disk.raw.gz`, checksum: null, image: testImage };
    }
    case "upload":
      return { fileName: "disk.raw", checksum: null, image: testImage };
    case "build":
      return { name: "mini", arch: "x86_64" };
    case "recipe":
      // The test guest turns itself off at an "o".
      return recipeOf("console", { type: "console", expect: "boot done", send: "o" });
    case "capture": {
      const described = { title: "Captured", description: "", firmware: "bios", loginUser: "nobody" };
      return { disk: { vmId: 1 }, image: { ...image, ...described, minMemoryBytes: 2 ** 24 } };
    }
    case "remove":
      return await otherImage();
    case "export":
      return { source: { vmId: 1 } };
    case "backup":
      return { access, snapshotId: 1, description };
    case "backup-restore":
    case "backup-remove": {
      const [newest] = await listCopies(access);
      const key = newest?.key;
      return act === "backup-remove" ? { access, keys: [key] } : { access, key, imageName: "restored" };
    }
  }
}

/** An image of other bytes than the test guest. */
async function otherImage(): Promise<ImageIdentity> {
  const copy = join(settings.dataDir, "other.qcow2");
  await execa("qemu-img", ["create", "-q", "-f", "qcow2", copy, "1M"]);
  const described = { title: "Other", firmware: "bios" as const, recipeHash: null };
  const { sha256, name } = await installImage(pathsOf(settings), copy, { ...testImage, ...described });
  return { sha256, name };
}

/** Runs a task in an agent of its own until that dies at its place, by which time nothing of it runs any more. */
async function crash(ask: CrashingTask): Promise<void> {
  const armed = join(settings.dataDir, "failpoint");
  const result = await execa(process.execPath, ["--import", "tsx", script, JSON.stringify(ask)], {
    cwd: projectDir,
    env: { CUMULUS_FAILPOINT_FILE: armed },
    reject: false,
    timeout: 200_000,
  });
  expect(result.signal, result.stderr).toBe("SIGKILL");
  expect(await readdir(settings.dataDir)).not.toContain("failpoint");
}

async function ended(tasks: TaskRunner, id: number): Promise<TaskState> {
  let state = await tasks.get(id);
  while (state.status === "running") state = await tasks.get(id, state.version, 5_000);
  return state;
}

/** What is there is whole, and nothing else is. */
async function isWhole(): Promise<void> {
  const images = await agent.listImages();
  const files = images.flatMap(({ sha256, name }) => [`${sha256}.${name}.json`, `${sha256}.qcow2`]);
  expect(await namesIn("images")).toEqual(files.sort());
  for (const { sha256 } of images) {
    const content = await readFile(imageFile(pathsOf(settings), sha256));
    expect(createHash("sha256").update(content).digest("hex")).toBe(sha256);
  }
  expect(await namesIn("staging")).toEqual([]);
  const isLayer = (name: string) => /^[0-9a-f]{16}\.(qcow2|json)$/.test(name);
  // A disk that was read grows together with its layer again, in the background.
  await until(async () => (await namesIn("layers")).every(isLayer));
  expect((await namesIn("tasks")).filter((name) => !/^\d+\.(json|log)$/.test(name))).toEqual([]);
}

async function namesIn(folder: "images" | "staging" | "layers" | "tasks" | "exports"): Promise<string[]> {
  return (await readdir(pathsOf(settings)[folder]).catch(() => [])).sort();
}
