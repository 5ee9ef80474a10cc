import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { backedUpVm } from "../agent/tasks/testing/taskBed";
import { MIB } from "../domain/units";
import { pathsOf } from "../env";
import { diskFile } from "../hypervisor/diskRecord";
import type { Hypervisor } from "../hypervisor/hypervisor";
import { machinePaths } from "../hypervisor/machinePaths";
import { TestHost } from "../hypervisor/testing/testHost";
import { makeRepository } from "./repository";
import { keepCopy } from "./store";

let host: TestHost;
let agent: Hypervisor;
let repository: string;
let operationId = 0;

beforeEach(async () => {
  host = await TestHost.make();
  agent = await host.agent();
  repository = mkdtempSync(join(tmpdir(), "repository-"));
});
afterEach(async () => {
  await host.close();
  rmSync(repository, { recursive: true, force: true });
});

const report = { progress() {}, log() {} };
const { signal } = new AbortController();

async function write(at: number, bytes: Buffer): Promise<void> {
  const file = join(host.settings.dataDir, "bytes");
  writeFileSync(file, bytes);
  const disk = await diskFile(machinePaths(host.settings, 1));
  await execa("qemu-io", ["-f", "qcow2", "-c", `write -s ${file} ${at} ${bytes.length}`, disk]);
}

/** Takes a snapshot and exports it, as a backup does. @returns a folder with the disk */
async function exported(snapshotId: number): Promise<string> {
  operationId += 1;
  await agent.takeSnapshot(1, { snapshotId, operationId, memory: false, freeze: false }, report, signal);
  const folder = mkdtempSync(join(pathsOf(host.settings).staging, "export-"));
  await agent.exportDisk({ snapshotId }, { disk: join(folder, "disk.qcow2") }, report, signal);
  return folder;
}

const hashOf = (folder: string) =>
  createHash("sha256")
    .update(readFileSync(join(folder, "disk.qcow2")))
    .digest("hex");

test("of a VM that is as it was nothing is stored anew, and of one that has changed what has changed", async () => {
  const access = { place: { kind: "folder" as const, path: repository }, password: "correct horse" };
  await makeRepository(access);
  await agent.ensure(await host.spec(1));
  await write(8 * MIB, randomBytes(48 * MIB));
  const first = await exported(1);
  const same = await exported(2);
  expect(hashOf(same)).toBe(hashOf(first));
  await write(30 * MIB, randomBytes(64 * 1024));
  const changed = await exported(3);

  const keep = async (folder: string, takenAt: string) =>
    (await keepCopy(access, folder, { ...backedUpVm, takenAt }, report, signal)).addedBytes;
  expect(await keep(first, "2026-11-22T10:00:00.000Z")).toBeGreaterThan(48 * MIB);
  expect(await keep(same, "2026-11-22T11:00:00.000Z")).toBeLessThan(MIB);
  // The change touches two chunks, of at most 8 MiB (restic, "Design", chunks).
  expect(await keep(changed, "2026-11-22T12:00:00.000Z")).toBeLessThan(2 * 8 * MIB);
});
