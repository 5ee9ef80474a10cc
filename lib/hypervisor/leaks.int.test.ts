import { readFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTimeOf } from "../system/platform";
import { signal } from "../system/testing/signal";
import { diskFile } from "./diskRecord";
import { machinePaths } from "./machinePaths";
import { leakCluster } from "./testing/leak";
import { SnapshotBed } from "./testing/snapshotBed";
import { TestHost, untilSeen } from "./testing/testHost";
import { until } from "./testing/until";

let host: TestHost;
let bed: SnapshotBed;

beforeEach(async () => {
  host = await TestHost.make();
  bed = new SnapshotBed(host, await host.agent());
  await bed.agent.ensure(await host.spec(1));
  await bed.start();
});
afterEach(() => host.close());

const disk = () => diskFile(machinePaths(host.settings, 1));

/** How `qemu-img check` ends: 0 means nothing is wrong, 3 that there are leaks alone (qemu-img(1)). */
async function checkCode(): Promise<number | undefined> {
  const args = ["check", "-q", "--force-share", "-f", "qcow2", await disk()];
  return (await execa("qemu-img", args, { reject: false })).exitCode;
}

/** Has the VM's QEMU leave a cluster in the disk, and ends it by force. */
async function killLeaking(meanwhile: () => Promise<unknown> = async () => {}): Promise<void> {
  const { pid } = await bed.agent.observe(1);
  signal(pid, "SIGSTOP");
  await leakCluster(await disk());
  expect(await checkCode()).toBe(3);
  await meanwhile();
  signal(pid, "SIGKILL");
  await until(async () => (await startTimeOf(pid ?? 0)) === null);
}

const untilCrashed = () => untilSeen(bed.agent, 1, ({ state }) => state === "crashed");

test("QEMU killed: what it took of the disk and did not use is given back, and the VM starts", async () => {
  await killLeaking();
  await untilCrashed();
  await expect.poll(checkCode).toBe(0);
  await bed.start();
  await bed.untilEchoes(1);
});

test("QEMU killed while the agent was away: the one that comes back puts the disk in order", async () => {
  await killLeaking(() => bed.agent.close());
  bed.agent = await host.agent();
  expect(await bed.agent.observe(1)).toMatchObject({ state: "crashed" });
  await expect.poll(checkCode).toBe(0);
});

test("a disk that can't be put in order yet is so at the next start, and the VM starts all the same", async () => {
  await killLeaking(async () => {
    await chmod(await disk(), 0o400);
    await bed.agent.close();
  });
  bed.agent = await host.agent();
  expect(await checkCode()).toBe(3);
  expect(mayLeak()).toBe(true);
  await chmod(await disk(), 0o600);
  await bed.start();
  await bed.agent.stop(1);
  expect(await checkCode()).toBe(0);
});

test("after a QEMU that closed its disk nothing is looked for", async () => {
  expect(mayLeak()).toBe(true);
  await bed.agent.stop(1);
  await until(() => !mayLeak());
});

function mayLeak(): boolean {
  return JSON.parse(readFileSync(machinePaths(host.settings, 1).state, "utf8")).mayLeak;
}
