import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { takeHostLock } from "../../system/hostLock";
import { crashAt } from "../testing/crashAt";
import { SnapshotBed } from "../testing/snapshotBed";
import { TestHost, untilSeen } from "../testing/testHost";
import { until } from "../testing/until";
import { userfaultfdSetting } from "./userfaultfd";

let hosts: TestHost[];

/** Whether users without rights may not watch their memory, as the host is set. */
const isClosed = async () => (await readFile(userfaultfdSetting, "utf8")) === "0\n";

beforeEach(async () => {
  hosts = await Promise.all([1, 2, 3].map(() => TestHost.make()));
});
afterEach(async () => {
  for (const host of hosts) await host.close();
});

test("three agents of one host take snapshots with memory at once, and none undoes what another's QEMU needs", async () => {
  const beds = await Promise.all(
    hosts.map(async (host) => {
      const bed = new SnapshotBed(host, await host.agent());
      await bed.agent.ensure(await host.spec(1));
      await bed.start();
      return bed;
    }),
  );
  for (let round = 1; round <= 6; round++) {
    const taken = await Promise.all(beds.map((bed) => bed.take(round, true)));
    expect(taken.map(({ consistency }) => consistency)).toEqual(["memory", "memory", "memory"]);
  }
  // It is the host's, which others may have changed for a moment.
  await until(isClosed);
});

test("an agent that may not change the host's setting copies the guest's memory, and the snapshot is whole", async () => {
  const [host] = hosts as [TestHost];
  const bed = new SnapshotBed(host, await host.agent());
  await bed.agent.ensure(await host.spec(1));
  await bed.start();
  expect(await bed.agent.host()).toMatchObject({ memorySnapshots: "live" });
  const spec = await host.spec(2);
  await bed.agent.close();
  // No other agent lets QEMU watch memory meanwhile. One that was killed may have left it open, until the next one.
  const letGo = await until(async () => {
    const letGoAgain = await takeHostLock(userfaultfdSetting);
    if (await isClosed()) return letGoAgain;
    await letGoAgain();
    return null;
  });
  try {
    const ask = { settings: host.settings, act: "take-memory", failpoint: "agent.snapshot.complete", spec } as const;
    expect(await crashAt(ask, { mayChangeSettings: false })).toMatch(/This host doesn't let QEMU watch/);
  } finally {
    await letGo();
  }
  bed.agent = await host.agent();
  expect(await bed.agent.listSnapshots()).toMatchObject([{ id: 9, consistency: "memory" }]);
  await bed.untilEchoes(1);
  const { signal } = new AbortController();
  const report = { progress: () => {}, log: () => {} };
  await bed.agent.restoreSnapshot(1, { snapshotId: 9, operationId: 10 }, report, signal);
  await untilSeen(bed.agent, 1, ({ state }) => state === "running");
  await bed.untilEchoes(1);
});
