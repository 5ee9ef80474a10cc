import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keepCopy } from "../../backups/store";
import type { ImageManifest } from "../../domain/image";
import { MIB } from "../../domain/units";
import { machinePaths } from "../../hypervisor/machinePaths";
import { testImage } from "../../images/testing/images";
import { exportFile } from "./exportKind";
import type { taskKinds } from "./kinds";
import type { TaskRunner } from "./runner";
import { backedUpVm, ended, TaskBed } from "./testing/taskBed";

const uefiVm = { ...backedUpVm, firmware: "uefi" as const };
const report = { progress() {}, log() {} };
const { signal } = new AbortController();

let bed: TaskBed;
/** The variables of VM 2. */
let variables: Buffer;

beforeAll(async () => {
  bed = await TaskBed.make();
  const file = machinePaths(bed.host.settings, 2).uefiVars;
  variables = await readFile(file);
  variables.write("an entry of its own", variables.length - 64);
  await writeFile(file, variables);
});
afterAll(() => bed?.host.close());

/** Does a task, which a file is brought for if it takes one. @returns what came out */
async function done(tasks: TaskRunner, kind: keyof typeof taskKinds, params: unknown, brought?: string) {
  const id = bed.newId();
  await tasks.put(id, kind, params);
  if (brought) {
    await tasks.uploads.bring(id, { body: createReadStream(brought), contentLength: (await stat(brought)).size });
  }
  const state = await ended(tasks, id);
  expect(state).toMatchObject({ status: "done", error: null });
  return { id, result: state.result, log: (await tasks.readLog(id, 0)).text };
}

test("a VM with UEFI has the same variables after a capture, an export and import, and a backup and restore", async () => {
  await bed.withNextAgent(async (tasks, agent) => {
    const { kind: _, firmwares: _firmwares, ...image } = testImage;
    const described = { title: "Captured", firmware: "uefi", minMemoryBytes: 2 ** 24 };
    const captured = await done(tasks, "image-capture", { disk: { vmId: 2 }, image: { ...image, ...described } });

    const exported = await done(tasks, "disk-export", { source: { vmId: 2 }, archive: uefiVm });
    const archive = exportFile(bed.host.settings, exported.id, "archive");
    const asked = { description: uefiVm, imageName: "imported" };
    const imported = await done(tasks, "vm-import", asked, archive);

    await agent.takeSnapshot(2, { snapshotId: 2, operationId: 2, memory: false, freeze: false }, report, signal);
    const { access } = bed;
    const kept = await done(tasks, "backup", { access, snapshotId: 2, description: uefiVm });
    const { key } = kept.result as { key: string };
    const restored = await done(tasks, "backup-restore", { access, key, imageName: "restored" });

    const manifests = [
      captured.result as ImageManifest,
      imported.result as ImageManifest,
      (restored.result as { manifest: ImageManifest }).manifest,
    ];
    for (const [index, { sha256, variablesSha256 }] of manifests.entries()) {
      const disk = { imageSha256: sha256, sizeBytes: 2 ** 26, variablesSha256: variablesSha256 ?? "" };
      const id = 3 + index;
      await agent.ensure(await bed.host.spec(id, { firmware: "uefi", disk }));
      expect(await readFile(machinePaths(bed.host.settings, id).uefiVars)).toEqual(variables);
    }
    // All three carry the same, and share it.
    expect((await bed.namesIn("images")).filter((name) => name.endsWith(".vars"))).toHaveLength(1);
    expect(await bed.namesIn("staging")).toEqual([]);
  });
}, 300_000);

test.each<[string, (bytes: number) => Buffer, RegExp]>([
  ["that firmware has not written", (bytes) => randomBytes(bytes), /are none that firmware has written/],
  ["larger than any", () => Buffer.alloc(65 * MIB), /take more than 64 MiB/],
])(
  "a restored backup goes without UEFI variables %s",
  async (_, make, why) => {
    await bed.withNextAgent(async (tasks, agent) => {
      const workDir = join(bed.host.settings.dataDir, `foreign-${bed.newId()}`);
      await mkdir(workDir);
      await agent.exportDisk({ vmId: 2 }, { disk: join(workDir, "disk.qcow2") }, report, signal);
      await writeFile(join(workDir, "uefi-variables.fd"), make(variables.length));
      const { access } = bed;
      const { key } = await keepCopy(access, workDir, uefiVm, report, signal);
      const { result, log } = await done(tasks, "backup-restore", { access, key, imageName: "without" });
      expect(result).toMatchObject({ manifest: { variablesSha256: null } });
      expect(log).toMatch(why);
    });
  },
  300_000,
);

test("a restored backup whose disk is damaged is refused", async () => {
  await bed.withNextAgent(async (tasks, agent) => {
    const workDir = join(bed.host.settings.dataDir, "damaged");
    await mkdir(workDir);
    const disk = join(workDir, "disk.qcow2");
    await agent.exportDisk({ vmId: 2 }, { disk }, report, signal);
    const content = await readFile(disk);
    // Where its list of clusters lies (QEMU's docs/interop/qcow2.txt): far outside of the file.
    content.writeBigUInt64BE(2n ** 40n, 40);
    await writeFile(disk, content);
    const { access } = bed;
    const { key } = await keepCopy(access, workDir, uefiVm, report, signal);
    const id = bed.newId();
    await tasks.put(id, "backup-restore", { access, key, imageName: "damaged" });
    expect(await ended(tasks, id)).toMatchObject({ status: "failed", error: { code: "bad_request" } });
    expect(await bed.namesIn("staging")).toEqual([]);
  });
}, 300_000);
