import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MachineSpec } from "../../domain/machine";
import type { TaskReport } from "../../domain/task";
import { MIB } from "../../domain/units";
import { slowTest } from "../../system/testing/slowTests";
import type { Hypervisor } from "../hypervisor";
import { crashAt } from "../testing/crashAt";
import { MiniGuests } from "../testing/miniGuests";
import { receiverPids } from "../testing/receiverPids";
import { TestHost, untilSeen } from "../testing/testHost";
import { until } from "../testing/until";

let host: TestHost;
let guests: MiniGuests;
let agent: Hypervisor;
let spec: MachineSpec;

/** Guests boot, and are copied, on a computer that may be busy. */
const slow = { timeout: 600_000 };
const rounds = 3;
/** As if any memory were much. */
const copies = { copiesMemoryAboveBytes: 0 };
const silent: TaskReport = { progress: () => {}, log: () => {} };
const { signal } = new AbortController();

beforeAll(async () => {
  host = await TestHost.make();
  guests = await MiniGuests.make(host);
  agent = await host.agent(copies);
  spec = await guests.spec(1, { memoryBytes: 320 * MIB });
  await guests.start(agent, spec);
  // So much that it is not copied in a moment.
  await run(
    "dd if=/dev/urandom of=/dev/shm/some bs=1M count=20 2>/dev/null; cd /dev/shm; cat some some some some > blob",
  );
  await run("md5sum /dev/shm/blob > /dev/shm/sum");
  // What is copied while it is written anew must not be what comes back.
  const write = "i=0; while :; do i=$((i+1)); echo $i > /dev/shm/count; cat /dev/shm/blob > /dev/shm/copy; done";
  await run(`(${write}) >/dev/null 2>&1 </dev/null &`);
}, slow.timeout);
afterAll(async () => {
  await host?.close();
  await guests?.close();
});

const run = (command: string) => guests.run(spec, command);
const take = (snapshotId: number, report = silent, wanted = signal) =>
  agent.takeSnapshot(1, { snapshotId, operationId: snapshotId, memory: true, freeze: true }, report, wanted);

async function expectWritingGuest(): Promise<void> {
  expect(await run("md5sum -c /dev/shm/sum")).toBe("/dev/shm/blob: OK");
  const count = Number(await run("cat /dev/shm/count"));
  await until(async () => Number(await run("cat /dev/shm/count")) > count);
  // A guest that stood still for long says so, and is none the worse for it.
  const broken = "dmesg | grep -E 'BUG|Oops|segfault|general protection' | grep -v 'soft lockup' || true";
  expect(await run(broken)).toBe("");
}

test(
  "a guest whose memory was copied while it wrote goes on from it, and so does the one that it was copied of",
  slow,
  async () => {
    for (let id = 1; id <= rounds; id++) {
      const lines: string[] = [];
      const { memoryBytes: mostBytes } = await agent.snapshotCost(1);
      const taken = await take(id, { ...silent, log: (line) => lines.push(line) });
      expect(taken).toMatchObject({ consistency: "memory" });
      expect(taken.memoryBytes).toBeGreaterThan(160 * MIB);
      expect(taken.memoryBytes).toBeLessThanOrEqual(mostBytes);
      expect(lines).toEqual([]);
      await expectWritingGuest();
      await agent.restoreSnapshot(1, { snapshotId: id, operationId: 10 + id }, silent, signal);
      await untilSeen(agent, 1, ({ state }) => state === "running");
      await expectWritingGuest();
    }
  },
);

test("a copy that is cancelled is none, and the guest runs on", slow, async () => {
  const abort = new AbortController();
  const progress = (_: number, message: string) => {
    if (message.startsWith("Writing the memory")) abort.abort(new Error("cancelled"));
  };
  await expect(take(20, { ...silent, progress }, abort.signal)).rejects.toThrow("cancelled");
  expect((await agent.listSnapshots()).map(({ id }) => id)).not.toContain(20);
  await expectWritingGuest();
  expect(await take(21)).toMatchObject({ consistency: "memory" });
});

test("a guest whose agent is killed while its memory is copied runs on, though no agent comes", slow, async () => {
  await agent.close();
  await crashAt({ settings: host.settings, act: "take-copied", failpoint: "agent.snapshot.copying", spec });
  await expectWritingGuest();
  agent = await host.agent(copies);
  expect(await take(30)).toMatchObject({ consistency: "memory" });
  await expectWritingGuest();
});

slowTest("a guest whose QEMU falls silent while its memory is copied runs on when QEMU answers", slow, async () => {
  const { pid } = await agent.observe(1);
  const receivers: number[] = [];
  const progress = (_: number, message: string) => {
    if (!message.startsWith("Writing the memory")) return;
    // Nothing more is taken first, so that there is something left to be sent.
    if (receivers.length > 0) signalTo(pid, "SIGSTOP");
    else for (const one of receiverPids(host.settings)) receivers.push(signalTo(one, "SIGSTOP"));
  };
  try {
    await expect(take(40, { ...silent, progress })).rejects.toThrow();
    expect(receivers).toHaveLength(1);
  } finally {
    for (const one of [...receivers, pid]) signalTo(one, "SIGCONT");
  }
  await expectWritingGuest();
  await until(() => receiverPids(host.settings).length === 0);
  expect(await take(41)).toMatchObject({ consistency: "memory" });
  await expectWritingGuest();
});

test("a guest that turns itself off while its memory is copied is off, and there is no snapshot", slow, async () => {
  const receivers: number[] = [];
  const progress = (_: number, message: string) => {
    if (!message.startsWith("Writing the memory") || receivers.length > 0) return;
    for (const one of receiverPids(host.settings)) receivers.push(signalTo(one, "SIGSTOP"));
    void run("poweroff -f").catch(() => undefined);
  };
  try {
    await expect(take(50, { ...silent, progress })).rejects.toMatchObject({ code: "conflict" });
    expect(receivers).toHaveLength(1);
  } finally {
    for (const one of receivers) signalTo(one, "SIGCONT");
  }
  await untilSeen(agent, 1, ({ state }) => state === "stopped");
  expect((await agent.listSnapshots()).map(({ id }) => id)).not.toContain(50);
});

test("a guest whose QEMU is killed while its memory is copied has no snapshot of that, and starts", slow, async () => {
  await agent.start(1);
  await untilSeen(agent, 1, ({ milestones }) => milestones.ssh !== undefined, 180_000);
  const { pid } = await agent.observe(1);
  const progress = (_: number, message: string) => {
    if (message.startsWith("Writing the memory")) signalTo(pid, "SIGKILL");
  };
  await expect(take(60, { ...silent, progress })).rejects.toThrow();
  await untilSeen(agent, 1, ({ state }) => state === "crashed");
  expect((await agent.listSnapshots()).map(({ id }) => id)).not.toContain(60);
  await until(() => receiverPids(host.settings).length === 0);
  await agent.start(1);
  await untilSeen(agent, 1, ({ milestones }) => milestones.ssh !== undefined, 180_000);
  expect(await take(61)).toMatchObject({ consistency: "memory" });
});

function signalTo(pid: number | null, signal: NodeJS.Signals): number {
  if (pid === null) throw new Error("The VM does not run.");
  // One that took the rest may be gone.
  if (existsSync(`/proc/${pid}`)) process.kill(pid, signal);
  return pid;
}
