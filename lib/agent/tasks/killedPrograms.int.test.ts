import { once } from "node:events";
import { readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { RepositoryAccess } from "../../domain/backup";
import { until } from "../../hypervisor/testing/until";
import { commandLineOf, isAlive, type ProcessIdentity, startTimeOf } from "../../system/platform";
import type { taskKinds } from "./kinds";
import { backedUpVm, ended, TaskBed } from "./testing/taskBed";

let bed: TaskBed;
beforeAll(async () => {
  bed = await TaskBed.make();
});
afterAll(async () => {
  await bed?.host.close();
});

/** A QEMU that runs a machine. One that is only asked what it can do, as agents and libguestfs do when they start, runs none. */
const machine = /qemu-system.*-nodefaults/s;

/** Long work, and the program of which it is waited that it runs. */
const programs: [what: string, program: RegExp, kind: keyof typeof taskKinds, params: () => Promise<unknown>][] = [
  [
    "a recipe's machine",
    machine,
    "image-customize",
    async () => bed.recipe("console", { type: "console", expect: "never said" }),
  ],
  [
    "libguestfs' machine",
    machine,
    "image-customize",
    async () => bed.recipe("disk", { type: "timezone", timezone: "UTC" }),
  ],
  ["mmdebstrap", /apt-get|apt\/methods/, "image-build", async () => ({ name: "debian-12", arch: "x86_64" })],
  ["restic", /^restic/, "backup", async () => ({ access: await deafStore(), snapshotId: 1, description: backedUpVm })],
];

describe("an agent that is killed", { timeout: 400_000 }, () => {
  test.each(programs)(
    "takes along %s and all that it has started; the next one goes on",
    async (_, program, kind, paramsOf) => {
      const id = bed.newId();
      const dying = bed.start({ id, kind, params: await paramsOf(), failpoint: null, uploadFile: null });
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
      await removeSocketFolders(started);

      await bed.withNextAgent(async (tasks, agent) => {
        expect(await tasks.get(id)).toMatchObject({ status: "running" });
        tasks.cancel(id);
        expect(await ended(tasks, id)).toMatchObject({ status: "cancelled" });
        await bed.expectWhole(agent);
      });
    },
  );
});

interface Started extends ProcessIdentity {
  commandLine: string;
}

/** libguestfs has root's socket in a folder of /tmp, wherever its other files are, and is no more to remove it. */
async function removeSocketFolders(ended: readonly Started[]): Promise<void> {
  const folders = ended.flatMap(
    ({ commandLine }) => /\/tmp\/libguestfs\w+(?=\/guestfsd\.sock)/.exec(commandLine) ?? [],
  );
  for (const folder of new Set(folders)) await rm(folder, { recursive: true, force: true });
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
