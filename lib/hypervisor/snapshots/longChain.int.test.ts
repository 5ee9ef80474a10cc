import { readdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MIB } from "../../domain/units";
import { pathsOf } from "../../env";
import { diskFile } from "../diskRecord";
import type { Hypervisor } from "../hypervisor";
import { machinePaths } from "../machinePaths";
import { TestHost, untilSeen } from "../testing/testHost";
import { until } from "../testing/until";

let host: TestHost;
let agent: Hypervisor;

beforeAll(async () => {
  host = await TestHost.make();
  agent = await host.agent();
});
afterAll(async () => {
  await host.close();
});

const report = { progress: () => {}, log: () => {} };
const { signal } = new AbortController();

test("a VM with 48 snapshots runs, starts again, is exported, and its snapshots go while it runs", async () => {
  const count = 48;
  await agent.ensure(await host.spec(1));
  await execa("qemu-io", ["-f", "qcow2", "-c", `write -P 0x5a ${40 * MIB} 64k`, await disk()]);
  await agent.start(1);
  for (let id = 1; id <= count; id++) {
    await agent.takeSnapshot(1, { snapshotId: id, operationId: id, memory: false, freeze: false }, report, signal);
  }
  await agent.stop(1);
  await agent.start(1);
  await untilSeen(agent, 1, (seen) => seen.milestones["first-boot"] !== undefined);
  const target = join(pathsOf(host.settings).staging, "whole.qcow2");
  await agent.exportDisk({ vmId: 1 }, target, report, signal);
  await execa("qemu-io", ["-r", "-f", "qcow2", "-c", `read -P 0x5a ${40 * MIB} 64k`, target]);

  for (let id = 2; id < count; id++) await agent.removeSnapshot(id);
  const { layers } = pathsOf(host.settings);
  await until(() => readdirSync(layers).filter((name) => /^\w+\.qcow2$/.test(name)).length === 2, 100_000);
  expect((await agent.listSnapshots()).map(({ id, parentId }) => [id, parentId])).toEqual([
    [1, null],
    [count, 1],
  ]);
  expect(await agent.observe(1)).toMatchObject({ state: "running" });
  expect(host.messages.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  await agent.stop(1);
  await execa("qemu-img", ["check", "-q", "-f", "qcow2", await disk()]);
});

function disk(): Promise<string> {
  return diskFile(machinePaths(host.settings, 1));
}
