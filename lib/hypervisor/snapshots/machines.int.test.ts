import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MachineSpec } from "../../domain/machine";
import { MIB } from "../../domain/units";
import { pathsOf } from "../../env";
import { readQcow2Header } from "../../images/qcow2";
import { installImage } from "../../images/store";
import { diskFile, readDiskRecord } from "../diskRecord";
import type { Hypervisor } from "../hypervisor";
import { machinePaths } from "../machinePaths";
import { makeInstallerIso } from "../testing/testCd";
import { TestHost, untilSeen } from "../testing/testHost";
import { until } from "../testing/until";

let host: TestHost;
let agent: Hypervisor;
let folder: string;
let lastSnapshot = 0;
let lastOperation = 100;

const report = { progress: () => {}, log: () => {} };
const { signal } = new AbortController();

beforeAll(async () => {
  host = await TestHost.make();
  agent = await host.agent();
  folder = await mkdtemp(join(tmpdir(), "cumulus-"));
});
afterAll(async () => {
  await host?.close();
  await rm(folder, { recursive: true, force: true });
});

async function take(vmId: number, memory: boolean): Promise<number> {
  lastSnapshot += 1;
  const ask = { snapshotId: lastSnapshot, operationId: lastSnapshot, memory, freeze: false };
  await agent.takeSnapshot(vmId, ask, report, signal);
  return lastSnapshot;
}

function restore(vmId: number, snapshotId: number, memory = true) {
  lastOperation += 1;
  return agent.restoreSnapshot(vmId, { snapshotId, operationId: lastOperation, memory }, report, signal);
}

async function boot(spec: MachineSpec): Promise<void> {
  await agent.ensure(spec);
  await agent.start(spec.id);
  await untilSeen(agent, spec.id, ({ milestones }) => milestones["first-boot"] !== undefined);
}

async function diskBytes(vmId: number): Promise<number> {
  return (await readQcow2Header(await diskFile(machinePaths(host.settings, vmId)))).virtualBytes;
}

/** The guest goes on where it was: it answers without having booted. */
async function echoes(vmId: number): Promise<void> {
  const shown: string[] = [];
  const stream = await agent.openSerial(vmId);
  stream.on("data", (chunk: Buffer) => shown.push(chunk.toString()));
  stream.write(`<${lastOperation}>`);
  await until(() => shown.join("").includes(`<${lastOperation}>`));
  stream.destroy();
}

test("a VM whose disk has grown since goes back to a smaller one's data, and its disk stays as large as asked", async () => {
  const spec = await host.spec(1);
  await boot(spec);
  const withMemory = await take(1, true);
  await agent.stop(1);
  const grown = { ...spec, disk: { ...spec.disk, sizeBytes: 96 * MIB } };
  await agent.ensure(grown);
  expect(await diskBytes(1)).toBe(96 * MIB);

  // A guest that goes on has seen the size that the disk had.
  expect(await restore(1, withMemory)).toMatchObject({ state: "running" });
  await echoes(1);
  expect(await diskBytes(1)).toBe(64 * MIB);
  await agent.stop(1);
  await agent.start(1);
  expect(await diskBytes(1)).toBe(96 * MIB);
  await agent.stop(1);

  const diskOnly = await take(1, false);
  await agent.ensure({ ...grown, disk: { ...grown.disk, sizeBytes: 128 * MIB } });
  await restore(1, diskOnly);
  expect(await diskBytes(1)).toBe(128 * MIB);
});

test("a VM with two interfaces goes on with its memory, also when the disc that it had is no longer in the drive", async () => {
  const iso = await installImage(pathsOf(host.settings), await makeInstallerIso(folder), {
    name: "installer",
    title: "Installer",
    description: "",
    kind: "iso",
    arch: "x86_64",
    firmware: "bios",
    minMemoryBytes: 16 * MIB,
    loginUser: "root",
    recipeHash: null,
  });
  const [one, other] = [await host.spec(2), await host.spec(3)];
  const second = other.interfaces.map((link) => ({ ...link, id: "net1" }));
  const spec = { ...one, interfaces: [...one.interfaces, ...second], cdrom: { sha256: iso.sha256 } };
  await boot(spec);
  const id = await take(2, true);
  expect(await restore(2, id)).toMatchObject({ state: "running", cdromSha256: iso.sha256 });
  await echoes(2);

  await agent.ensure({ ...spec, cdrom: null });
  expect(await restore(2, id)).toMatchObject({ state: "running", cdromSha256: null });
  await echoes(2);

  await agent.stop(2);
  await agent.ensure({ ...spec, interfaces: one.interfaces, cdrom: null });
  const refused = { code: "wrong_state", message: expect.stringMatching(/interfaces/) };
  await expect(agent.assertRestorable(2, { snapshotId: id, operationId: 0 })).rejects.toMatchObject(refused);
  await expect(restore(2, id)).rejects.toMatchObject(refused);
  expect(await restore(2, id, false)).toMatchObject({ state: "stopped" });
  await agent.start(2);
  expect(await restore(2, id, false)).toMatchObject({ state: "running" });
});

test("a UEFI VM's variables are part of its snapshots, of a restore, and of a VM made from one", async () => {
  const spec = await host.spec(4, { firmware: "uefi" });
  await agent.ensure(spec);
  const varsOf = async (vmId: number) => {
    const paths = machinePaths(host.settings, vmId);
    return join(paths.folder, (await readDiskRecord(paths)).uefiVars);
  };
  const mark = async (text: string) => {
    const vars = await readFile(await varsOf(4));
    vars.write(text, vars.length - 64);
    await writeFile(await varsOf(4), vars);
  };
  await mark("kept");
  const id = await take(4, false);
  await mark("lost");
  await restore(4, id);
  expect((await readFile(await varsOf(4))).includes("kept")).toBe(true);
  const { imageSha256, sizeBytes } = spec.disk;
  await agent.ensure(await host.spec(5, { firmware: "uefi", disk: { imageSha256, sizeBytes, snapshotId: id } }));
  expect((await readFile(await varsOf(5))).includes("kept")).toBe(true);
});
