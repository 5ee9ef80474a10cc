import { afterEach, beforeEach, expect, test } from "vitest";
import type { TaskReport } from "../../domain/task";
import type { Failpoint } from "../../failpoints";
import { crashAt } from "../../hypervisor/testing/crashAt";
import { present, SnapshotBed } from "../../hypervisor/testing/snapshotBed";
import { TestHost } from "../../hypervisor/testing/testHost";
import type { TaskCall } from "./kind";
import { snapshotRestore } from "./snapshotKinds";

const silent: TaskReport = { progress: () => {}, log: () => {} };
/** Of the guest that runs when the restore is asked for, as `crashAt` has it. */
const safety = { snapshotId: 9, memory: true };
const operationId = 9;

let host: TestHost;
let bed: SnapshotBed;
/** When the guest of the safety snapshot was started. */
let startedAt: string | undefined;

beforeEach(async () => {
  host = await TestHost.make();
  bed = new SnapshotBed(host, await host.agent());
  await bed.makeVm();
});
afterEach(() => host.close());

async function startVm(): Promise<void> {
  await bed.start();
  startedAt = (await bed.agent.observe(1)).milestones.started;
}

/** The task of a restore with a safety snapshot, as this agent runs it. */
function restore(snapshotId: number, signal: AbortSignal, report = silent) {
  const params = { vmId: 1, snapshotId, memory: true, safety };
  const call = { operationId, settings: host.settings, hypervisor: bed.agent, report, signal };
  return snapshotRestore.run(params, call as TaskCall);
}

/** The VM boots from the disk that it had, and the guest of before is to be had back. */
async function expectMemoryKept(): Promise<void> {
  expect(await bed.agent.observe(1)).toMatchObject({ state: "running" });
  expect((await bed.agent.observe(1)).milestones.started).not.toBe(startedAt);
  await bed.untilEchoes(1);
  expect(await bed.agent.listSnapshots()).toContainEqual(expect.objectContaining({ id: 9, hasMemory: true }));
  const ask = { snapshotId: safety.snapshotId, operationId: 11 };
  await bed.agent.restoreSnapshot(1, ask, silent, new AbortController().signal);
  expect((await bed.agent.observe(1)).milestones.started).toBe(startedAt);
  await bed.untilEchoes(1);
  await bed.agent.stop(1);
  expect(await bed.patternOf({ vmId: 1 })).toBe(present);
  await bed.expectNothingLeft();
}

test("a restore that is cancelled when the guest was ended keeps the guest's memory, also when its task is run again", async () => {
  await startVm();
  await bed.take(4, true);
  const cancelled = new AbortController();
  const progress: TaskReport["progress"] = (_, message) => {
    if (message.startsWith("Loading")) cancelled.abort();
  };
  await expect(restore(4, cancelled.signal, { ...silent, progress })).rejects.toBeDefined();
  // As an agent does that was ended before it wrote down how the task ended.
  await expect(restore(4, cancelled.signal)).rejects.toBeDefined();
  await expectMemoryKept();
});

test.each<Failpoint>(["agent.restore.stopped", "agent.restore.switched", "agent.restore.started"])(
  "a restore whose agent is killed at %s and that is then cancelled keeps the guest's memory",
  async (failpoint) => {
    await startVm();
    await bed.take(safety.snapshotId, true);
    const spec = await bed.cloneSpec();
    await bed.agent.close();
    await crashAt({ settings: host.settings, act: "restore", failpoint, spec });
    bed.agent = await host.agent();
    await expect(restore(2, AbortSignal.abort())).rejects.toBeDefined();
    await expectMemoryKept();
  },
);

test("a restore that is cancelled before the guest is ended leaves no safety snapshot", async () => {
  await startVm();
  const cancelled = new AbortController();
  const progress: TaskReport["progress"] = (percent) => {
    if (percent > 50) cancelled.abort();
  };
  await expect(restore(2, cancelled.signal, { ...silent, progress })).rejects.toBeDefined();
  expect((await bed.agent.observe(1)).milestones.started).toBe(startedAt);
  expect((await bed.agent.listSnapshots()).map(({ id }) => id)).toEqual([1, 2, 3]);
  await bed.expectNothingLeft();
});
