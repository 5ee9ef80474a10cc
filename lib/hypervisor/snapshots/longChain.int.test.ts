import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MIB } from "../../domain/units";
import { pathsOf } from "../../env";
import { openFilesOf } from "../../system/testing/openFiles";
import { slowTest } from "../../system/testing/slowTests";
import { diskFile } from "../diskRecord";
import { machinePaths } from "../machinePaths";
import { SnapshotBed } from "../testing/snapshotBed";
import { TestHost, untilSeen } from "../testing/testHost";
import { until } from "../testing/until";

let host: TestHost;
let bed: SnapshotBed;

beforeEach(async () => {
  host = await TestHost.make();
  bed = new SnapshotBed(host, await host.agent());
});
afterEach(async () => {
  await host.close();
});

const report = { progress: () => {}, log: () => {} };
const { signal } = new AbortController();

const offset = 40 * MIB;

test("a VM with 48 snapshots reads through six layers, also without a restart, is exported, and its snapshots go while it runs", {
  timeout: 600_000,
}, async () => {
  const { agent } = bed;
  const count = 48;
  await agent.ensure(await host.spec(1));
  await write(offset, 0x5a);
  await bed.start();
  for (let id = 1; id <= count; id++) await bed.take(id);
  expect((await agent.listSnapshots()).map(({ parentId }) => parentId)).toEqual([null, ...upTo(count - 1)]);
  await until(async () => (await bed.diskChain()).length === 6, 200_000);
  await until(async () => (await layersOpenInQemu()) === 6);
  await agent.stop(1);
  await bed.start();
  const target = join(pathsOf(host.settings).staging, "whole.qcow2");
  await agent.exportDisk({ vmId: 1 }, { disk: target }, report, signal);
  expect(await holds(target, offset, 0x5a)).toBe(true);

  for (let id = 2; id < count; id++) await agent.removeSnapshot(id);
  await until(() => layerFiles().length === 2, 200_000);
  expect((await agent.listSnapshots()).map(({ id }) => id)).toEqual([1, count]);
  await untilSeen(agent, 1, ({ state }) => state === "running");
  expect(host.messages.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  await agent.stop(1);
  await execa("qemu-img", ["check", "-q", "-f", "qcow2", await disk()]);
});

slowTest(
  "snapshots hold what they held when their layers were folded, whichever of them go, and a VM put back to one knows what it stands on",
  {
    timeout: 600_000,
  },
  async () => {
    const { agent } = bed;
    const ids = upTo(20);
    await agent.ensure(await host.spec(1));
    for (const id of ids) {
      await write(offset, id);
      await write(offset + id * MIB, id);
      await bed.take(id);
    }
    // Two of eight, and four more.
    await until(async () => (await bed.diskChain()).length === 6);
    await expectContents(ids);
    const taken = await agent.listSnapshots();
    expect(taken.filter(({ foldedBytes }) => foldedBytes > 0).map(({ id }) => id)).toEqual([8, 16]);
    const ownBytes = taken.map(({ diskBytes }) => diskBytes);
    expect(Math.max(...ownBytes), "what is its own alone").toBeLessThan(2 * Math.min(...ownBytes));
    const allBytes = taken.reduce((sum, { diskBytes, foldedBytes }) => sum + diskBytes + foldedBytes, 0);
    expect((await agent.snapshotCost(1)).keptBytes).toBe(allBytes);

    for (const id of ids.filter((id) => id % 3 !== 0)) await agent.removeSnapshot(id);
    const left = ids.filter((id) => id % 3 === 0);
    // The eighth stays without a name: it holds once what the ninth and what was folded above it share.
    const layerCount = left.length + 1;
    await until(() => layerFiles().length === layerCount);
    await expectContents(left);

    await agent.restoreSnapshot(1, { snapshotId: 12, operationId: 2 }, report, signal);
    expect(await holds(await disk(), offset, 12)).toBe(true);
    expect(await bed.take(21)).toMatchObject({ parentId: 12 });
    await agent.removeSnapshot(21);
    await until(() => layerFiles().length === layerCount);
    expect(await bed.take(22), "though no file tells any more").toMatchObject({ parentId: 12 });
    await bed.expectNothingLeft();
  },
);

async function expectContents(ids: readonly number[]): Promise<void> {
  const { layers, snapshots } = pathsOf(host.settings);
  for (const id of ids) {
    const { layerId } = JSON.parse(readFileSync(join(snapshots, String(id), "snapshot.json"), "utf8"));
    const file = join(layers, `${layerId}.qcow2`);
    await execa("qemu-img", ["check", "-q", "-f", "qcow2", file]);
    for (const each of upTo(20)) {
      expect(await holds(file, offset + each * MIB, each <= id ? each : 0), `${each} in snapshot ${id}`).toBe(true);
    }
    expect(await holds(file, offset, id), `snapshot ${id}`).toBe(true);
  }
}

/** How many layers the VM's QEMU reads through. */
async function layersOpenInQemu(): Promise<number> {
  const { pid } = await untilSeen(bed.agent, 1, (seen) => seen.pid !== null);
  const { layers } = pathsOf(host.settings);
  return openFilesOf(pid ?? 0).filter((file) => file.startsWith(`${layers}/`)).length;
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

function layerFiles(): string[] {
  return readdirSync(pathsOf(host.settings).layers).filter((name) => /^\w+\.qcow2$/.test(name));
}

function disk(): Promise<string> {
  return diskFile(machinePaths(host.settings, 1));
}

async function write(at: number, pattern: number): Promise<void> {
  await execa("qemu-io", ["-f", "qcow2", "-c", `write -P ${pattern} ${at} 64k`, await disk()]);
}

async function holds(file: string, at: number, pattern: number): Promise<boolean> {
  const read = ["--force-share", "-r", "-f", "qcow2", "-c", `read -P ${pattern} ${at} 64k`, file];
  return !(await execa("qemu-io", read, { reject: false })).failed;
}
