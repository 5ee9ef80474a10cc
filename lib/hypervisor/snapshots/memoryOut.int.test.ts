import { afterAll, beforeAll, expect } from "vitest";
import { slowTest } from "../../system/testing/slowTests";
import { receiverPids } from "../testing/receiverPids";
import { SnapshotBed } from "../testing/snapshotBed";
import { TestHost } from "../testing/testHost";
import { until } from "../testing/until";

let host: TestHost;
let bed: SnapshotBed;
beforeAll(async () => {
  host = await TestHost.make();
  bed = new SnapshotBed(host, await host.agent());
});
afterAll(() => host?.close());

slowTest("a guest whose QEMU falls silent while its memory is written goes on when QEMU does", async () => {
  await bed.agent.ensure(await host.spec(1));
  await bed.start();
  const { pid } = await bed.agent.observe(1);
  if (pid === null) throw new Error("The VM does not run.");
  const receivers: number[] = [];
  const signalAll = (pids: readonly number[], signal: "SIGSTOP" | "SIGCONT") => {
    for (const one of pids) process.kill(one, signal);
  };
  const progress = (_: number, message: string) => {
    if (message.startsWith("Writing the memory") && receivers.length > 0) signalAll([pid], "SIGSTOP");
    if (!message.startsWith("Holding")) return;
    // Nothing is taken, so that there is something left to be sent.
    receivers.push(...receiverPids(host.settings));
    signalAll(receivers, "SIGSTOP");
  };
  const ask = { snapshotId: 9, operationId: 1, memory: true, freeze: false };
  const { signal } = new AbortController();
  try {
    await expect(bed.agent.takeSnapshot(1, ask, { progress, log: () => {} }, signal)).rejects.toThrow();
    expect(receivers).toHaveLength(1);
  } finally {
    signalAll([...receivers, pid], "SIGCONT");
  }

  await bed.untilEchoes(1);
  // And it is no hindrance to the next.
  await until(() => receiverPids(host.settings).length === 0);
  await bed.take(10, true);
  await bed.untilEchoes(1);
  await bed.expectNothingLeft();
});
