import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pathsOf } from "../../env";
import { readDiskRecord } from "../diskRecord";
import { machinePaths } from "../machinePaths";
import { SnapshotBed } from "../testing/snapshotBed";
import { TestHost } from "../testing/testHost";
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

/** Less than the agent waits for an answer of QEMU. */
const heldMs = 4_000;

test("a snapshot whose turn came before a merged layer's new file is put under the running VM stays in the VM's chain", async () => {
  await bed.makeVm();
  await bed.start();
  const { pid } = await bed.agent.observe(1);
  if (pid === null) throw new Error("The VM does not run.");
  const [top = "", , first] = await bed.diskChain();

  // The merge comes to its end while the snapshot waits for QEMU.
  process.kill(pid, "SIGSTOP");
  const taken = bed.take(4);
  try {
    await until(async () => (await readDiskRecord(machinePaths(host.settings, 1))).cut !== null, heldMs);
    await bed.agent.removeSnapshot(2);
    await until(() => parentOf(top) === first, heldMs);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await taken;

  await until(() => filesOpenIn(pid).every((file) => !file.endsWith("(deleted)")));
  const chain = await bed.diskChain();
  expect(chain).toHaveLength(3);
  expect(chain.slice(1)).toEqual([top, first]);
  const { layers } = pathsOf(host.settings);
  const read = new Set(filesOpenIn(pid).filter((file) => file.startsWith(layers)));
  expect(read).toEqual(new Set(chain.map((id) => join(layers, `${id}.qcow2`))));
  expect(host.messages.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  await bed.expectWholeSnapshots();
  await bed.expectNothingLeft();
});

function parentOf(layer: string): string | null {
  return JSON.parse(readFileSync(join(pathsOf(host.settings).layers, `${layer}.json`), "utf8")).parent;
}

function filesOpenIn(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).map((fd) => readlinkSync(join(folder, fd)));
}
