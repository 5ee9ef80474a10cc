import { afterEach, beforeEach, expect, test } from "vitest";
import type { TaskReport } from "../../domain/task";
import { slowTest } from "../../system/testing/slowTests";
import { crashAt } from "../testing/crashAt";
import { SnapshotBed } from "../testing/snapshotBed";
import { TestHost, untilSeen } from "../testing/testHost";

let host: TestHost;
let bed: SnapshotBed;

beforeEach(async () => {
  host = await TestHost.make();
  bed = new SnapshotBed(host, await host.agent());
  await bed.makeVm();
  await bed.start();
});
afterEach(async () => {
  await host.close();
});

slowTest(
  "a guest whose QEMU stalls when a snapshot is to stop it goes on when QEMU does",
  {
    timeout: 120_000,
  },
  async () => {
    const { pid } = await bed.agent.observe(1);
    if (pid === null) throw new Error("The VM does not run.");
    const stalling: TaskReport = {
      log: () => {},
      progress: (_, message) => {
        if (message.startsWith("Holding")) process.kill(pid, "SIGSTOP");
      },
    };
    const ask = { snapshotId: 9, operationId: 9, memory: false, freeze: false };
    const { signal } = new AbortController();
    try {
      await expect(bed.agent.takeSnapshot(1, ask, stalling, signal)).rejects.toMatchObject({ code: "unavailable" });
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await untilSeen(bed.agent, 1, ({ state }) => state === "running");
    await bed.untilEchoes(1);
    await bed.take(9);
    expect(await bed.agent.observe(1)).toMatchObject({ state: "running", pid });
    await bed.expectWholeSnapshots();
    await bed.expectNothingLeft();
  },
);

test.each(["agent.snapshot.held", "agent.snapshot.switched", "agent.snapshot.resumed"] as const)(
  "a guest that was paused stays so when the agent is killed at %s of a snapshot",
  async (failpoint) => {
    await bed.agent.pause(1);
    const spec = await bed.cloneSpec();
    await bed.agent.close();
    await crashAt({ settings: host.settings, act: "take", failpoint, spec });
    bed.agent = await host.agent();
    await untilSeen(bed.agent, 1, ({ state }) => state === "paused");
    await bed.take(9);
    expect(await bed.agent.observe(1)).toMatchObject({ state: "paused" });
    await bed.agent.resume(1);
    await bed.untilEchoes(1);
    await bed.expectWholeSnapshots();
    await bed.expectNothingLeft();
  },
);

test("a snapshot of a guest that nobody could freeze, and of one that was turned off by force, is as after a power cut", async () => {
  expect(await bed.take(8)).toMatchObject({ consistency: "crash" });
  await bed.agent.stop(1);
  expect(await bed.take(9)).toMatchObject({ consistency: "crash", pauseMs: 0 });
  await bed.expectWholeSnapshots();
  await bed.expectNothingLeft();
});
