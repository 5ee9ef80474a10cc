import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TaskReport } from "../../domain/task";
import { pathsOf } from "../../env";
import { openFilesOf } from "../../system/testing/openFiles";
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

/** Less than the agent waits for QEMU to hold the guest. */
const heldMs = 25_000;

test("a snapshot whose turn came before a merged layer's new file is put under the running VM stays in the VM's chain", async () => {
  await bed.makeVm();
  await bed.start();
  const { pid } = await bed.agent.observe(1);
  if (pid === null) throw new Error("The VM does not run.");
  const [top = "", , first] = await bed.diskChain();

  // The merge comes to its end while the snapshot waits for QEMU to hold the guest.
  let isWaiting = false;
  const progress: TaskReport["progress"] = (_, message) => {
    if (isWaiting || !message.startsWith("Holding")) return;
    process.kill(pid, "SIGSTOP");
    isWaiting = true;
  };
  const ask = { snapshotId: 4, operationId: 1, memory: false, freeze: false };
  const taken = bed.agent.takeSnapshot(1, ask, { progress, log: () => {} }, new AbortController().signal);
  try {
    await until(() => isWaiting);
    await bed.agent.removeSnapshot(2);
    await until(() => parentOf(top) === first, heldMs);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await taken;

  await until(() => openFilesOf(pid).every((file) => !file.endsWith("(deleted)")));
  const chain = await bed.diskChain();
  expect(chain).toHaveLength(3);
  expect(chain.slice(1)).toEqual([top, first]);
  const { layers } = pathsOf(host.settings);
  const read = new Set(openFilesOf(pid).filter((file) => file.startsWith(layers)));
  expect(read).toEqual(new Set(chain.map((id) => join(layers, `${id}.qcow2`))));
  expect(host.messages.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  await bed.expectWholeSnapshots();
  await bed.expectNothingLeft();
});

function parentOf(layer: string): string | null {
  return JSON.parse(readFileSync(join(pathsOf(host.settings).layers, `${layer}.json`), "utf8")).parent;
}
