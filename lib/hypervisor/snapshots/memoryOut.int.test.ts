import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { crashAt } from "../testing/crashAt";
import { SnapshotBed } from "../testing/snapshotBed";
import { TestHost, untilSeen } from "../testing/testHost";
import { tooFullToCopy } from "../testing/tooFullToCopy";
import { until } from "../testing/until";

let host: TestHost;
let bed: SnapshotBed;
beforeAll(async () => {
  // A file system of its own, for it is filled up.
  host = await TestHost.make(160);
  bed = new SnapshotBed(host, await host.agent());
});
afterAll(() => host?.close());

test.each([
  ["copied while it runs", false],
  ["sent while QEMU watches it, since it can't be copied", true],
])("a guest whose QEMU falls silent while its memory is %s goes on when QEMU does", async (_way, isWatched) => {
  await bed.agent.ensure(await host.spec(1));
  await bed.start();
  const { pid } = await bed.agent.observe(1);
  if (pid === null) throw new Error("The VM does not run.");
  const receivers: number[] = [];
  const signalAll = (pids: readonly number[], signal: "SIGSTOP" | "SIGCONT") => {
    for (const one of pids) process.kill(one, signal);
  };
  const isSending = (message: string) =>
    isWatched ? message.startsWith("Holding") : message.startsWith("Writing the memory");
  const lines: string[] = [];
  const told = {
    log: (line: string) => lines.push(line),
    progress: (_: number, message: string) => {
      if (message.startsWith("Writing the memory") && receivers.length > 0) signalAll([pid], "SIGSTOP");
      if (!isSending(message) || receivers.length > 0) return;
      // Nothing is taken, so that there is something left to be sent.
      receivers.push(...receiverPids());
      signalAll(receivers, "SIGSTOP");
    },
  };
  const report = isWatched ? tooFullToCopy(host.settings.dataDir, told) : told;
  try {
    await expect(bed.take(9, true, report)).rejects.toThrow();
    expect(receivers).toHaveLength(1);
    expect(lines).toHaveLength(isWatched ? 1 : 0);
  } finally {
    signalAll([...receivers, pid], "SIGCONT");
  }

  await bed.untilEchoes(1);
  // And it is no hindrance to the next.
  await until(() => receiverPids().length === 0);
  await bed.take(10, true);
  await bed.untilEchoes(1);
  await bed.expectNothingLeft();
});

test.each(["agent.snapshot.held", "agent.snapshot.switched", "agent.snapshot.resumed"] as const)(
  "an agent killed at %s of a snapshot whose memory can't be copied: the next one goes on",
  async (failpoint) => {
    await bed.makeVm();
    await bed.start();
    const spec = await bed.cloneSpec();
    await bed.agent.close();
    await crashAt({ settings: host.settings, act: "take-watched", failpoint, spec });
    bed.agent = await host.agent();
    await bed.take(9, true, tooFullToCopy(host.settings.dataDir, { progress: () => {}, log: () => {} }));
    await untilSeen(bed.agent, 1, ({ state }) => state === "running");
    await bed.untilEchoes(1);
    await bed.expectWholeSnapshots();
    await bed.expectNothingLeft();
  },
);

function receiverPids(): number[] {
  const pids = readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0);
  return pids.filter((pid) => {
    const line = commandLineOf(pid);
    return line.includes("receiveMemory") && line.includes(host.settings.runDir);
  });
}

/** Of a process that may be gone. */
function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
