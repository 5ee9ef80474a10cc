import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { RestoreNotUndone } from "../../domain/restoreNotUndone";
import type { TaskReport } from "../../domain/task";
import { pathsOf } from "../../env";
import type { Failpoint } from "../../failpoints";
import { imageFile } from "../../images/store";
import { signal } from "../../system/testing/signal";
import { readDiskRecord } from "../diskRecord";
import { machinePaths } from "../machinePaths";
import { crashAt } from "../testing/crashAt";
import type { SnapshotAct } from "../testing/crashingSnapshotAgent";
import { patterns, present, SnapshotBed } from "../testing/snapshotBed";
import { TestHost, untilSeen } from "../testing/testHost";
import { until } from "../testing/until";

/** What the VM's disk holds when it is to be put back, other than the snapshots 2 and 4. */
const own = "0x11";

let host: TestHost;
let bed: SnapshotBed;

afterEach(() => host.close());

async function makeBed(dataMiB: number | null = null): Promise<void> {
  host = await TestHost.make(dataMiB);
  bed = new SnapshotBed(host, await host.agent());
  await bed.makeVm();
}

async function takeMemory(): Promise<void> {
  await bed.start();
  await bed.take(4, true);
  await bed.agent.stop(1);
}

const ballast = () => join(host.settings.dataDir, "ballast");

/** Of a bed whose data folder has a file system of its own. */
function fillDisk(): void {
  const { bavail, bsize } = statfsSync(host.settings.dataDir);
  writeFileSync(ballast(), Buffer.alloc(bavail * bsize));
}

const report: TaskReport = { progress: () => {}, log: () => {} };
const { signal: unaborted } = new AbortController();

const killed: { failpoint: Failpoint; act: SnapshotAct; snapshotId: number; state: "running" | "stopped" }[] = [
  { failpoint: "agent.restore.stopped", act: "restore", snapshotId: 2, state: "running" },
  { failpoint: "agent.restore.switched", act: "restore", snapshotId: 2, state: "stopped" },
  { failpoint: "agent.restore.switched", act: "restore", snapshotId: 2, state: "running" },
  { failpoint: "agent.restore.switched", act: "restore-memory", snapshotId: 4, state: "running" },
  { failpoint: "agent.restore.started", act: "restore", snapshotId: 2, state: "running" },
];

test.each(killed)(
  "$act of a VM that was $state, killed at $failpoint and then given up: the VM has its disk back, and is $state",
  async ({ failpoint, act, snapshotId, state }) => {
    await makeBed();
    if (act === "restore-memory") await takeMemory();
    await bed.write(own);
    if (state === "running") await bed.start();
    const spec = await bed.cloneSpec();
    await bed.agent.close();
    await crashAt({ settings: host.settings, act, failpoint, spec });

    bed.agent = await host.agent();
    const ask = { snapshotId, operationId: 9 };
    await expect(bed.agent.restoreSnapshot(1, ask, report, AbortSignal.abort())).rejects.toBeDefined();
    await untilSeen(bed.agent, 1, (seen) => seen.state === state);
    await bed.agent.start(1);
    await bed.untilEchoes(1);
    await bed.agent.stop(1);
    expect(await bed.patternOf({ vmId: 1 })).toBe(own);
    await bed.expectWholeSnapshots();
    await bed.expectNothingLeft();
  },
);

test("what a replaced disk builds on stays until the restore is done", async () => {
  await makeBed();
  const [newest = "", , oldest = ""] = await bed.diskChain();
  const spec = await bed.cloneSpec();
  await bed.agent.close();
  await crashAt({ settings: host.settings, act: "restore", failpoint: "agent.restore.switched", spec });

  bed.agent = await host.agent();
  await bed.agent.removeSnapshot(3);
  await bed.agent.removeSnapshot(1);
  const hasLayer = (id: string) => existsSync(join(pathsOf(host.settings).layers, `${id}.json`));
  await until(() => !hasLayer(oldest));
  expect(hasLayer(newest)).toBe(true);
  const ask = { snapshotId: 2, operationId: 9 };
  await expect(bed.agent.restoreSnapshot(1, ask, report, AbortSignal.abort())).rejects.toBeDefined();
  expect(await bed.patternOf({ vmId: 1 })).toBe(present);
  await bed.expectNothingLeft();
});

test("a restore that was begun goes on though the QEMU that it started hangs", async () => {
  await makeBed();
  await bed.start();
  const spec = await bed.cloneSpec();
  await bed.agent.close();
  await crashAt({ settings: host.settings, act: "restore", failpoint: "agent.restore.started", spec });
  const [hung] = await host.qemuPids();
  signal(hung, "SIGSTOP");

  bed.agent = await host.agent();
  await untilSeen(bed.agent, 1, ({ state }) => state === "unresponsive");
  await bed.agent.restoreSnapshot(1, { snapshotId: 2, operationId: 9 }, report, unaborted);
  await bed.untilEchoes(1);
  await bed.agent.stop(1);
  expect(await bed.patternOf({ vmId: 1 })).toBe(patterns[2]);
  await bed.expectNothingLeft();
});

test("a restore that can't even be undone says so and keeps what the VM had: its next run undoes it", async () => {
  await makeBed(160);
  await bed.write(own);
  const spec = await bed.cloneSpec();
  await bed.agent.close();
  await crashAt({ settings: host.settings, act: "restore", failpoint: "agent.restore.switched", spec });
  bed.agent = await host.agent();
  const again = () =>
    bed.agent.restoreSnapshot(1, { snapshotId: 2, operationId: 9 }, report, AbortSignal.abort(new Error("given up")));
  fillDisk();
  await expect(again()).rejects.toBeInstanceOf(RestoreNotUndone);
  rmSync(ballast());
  await expect(again()).rejects.toThrow("given up");
  expect(await bed.patternOf({ vmId: 1 })).toBe(own);
  await bed.expectNothingLeft();
});

test("what a restore could not give back stays through the next one that fails, and goes with one that is done", async () => {
  const kept = await notUndone();
  await bed.start();
  const image = imageFile(pathsOf(host.settings), host.imageSha256);
  const lines: string[] = [];
  // From its end on no QEMU can start.
  const progress = (_: number, message: string) => {
    if (message.startsWith("Ending")) renameSync(image, `${image}.away`);
  };
  const failing = { log: (line: string) => void lines.push(line), progress };
  await expect(
    bed.agent.restoreSnapshot(1, { snapshotId: 3, operationId: 10 }, failing, unaborted),
  ).rejects.toBeDefined();
  renameSync(`${image}.away`, image);
  expect(lines).toContainEqual(expect.stringMatching(/could not be started with it/));
  await bed.agent.close();
  bed.agent = await host.agent();
  expect(await bed.patternOf({ vmId: 1 })).toBe(patterns[2]);
  expect(await replacedDisk()).toBe(kept);
  expect(disks()).toContain(kept);

  await bed.agent.restoreSnapshot(1, { snapshotId: 3, operationId: 11 }, report, unaborted);
  expect(await bed.patternOf({ vmId: 1 })).toBe(patterns[3]);
  expect(host.messages).toContainEqual(
    expect.objectContaining({ fields: { vm: 1, disk: kept, restore: 9 }, message: expect.stringMatching(/goes/) }),
  );
  expect(disks()).not.toContain(kept);
  await bed.expectNothingLeft();
});

test("a restore that is killed over what one before could not give back is given up: that stays", async () => {
  const kept = await notUndone();
  for (const failpoint of ["agent.restore.stopped", "agent.restore.switched"] as const) {
    const spec = await bed.cloneSpec();
    await bed.agent.close();
    await crashAt({ settings: host.settings, act: "restore-next", failpoint, spec });
    bed.agent = await host.agent();
    const ask = { snapshotId: 3, operationId: 10 };
    await expect(bed.agent.restoreSnapshot(1, ask, report, AbortSignal.abort())).rejects.toBeDefined();
    expect(await replacedDisk()).toBe(kept);
    expect(disks()).toContain(kept);
  }
  await bed.expectNothingLeft();
});

test("what a restore could not give back is had back by the VM's record of its disk", async () => {
  await notUndone();
  await bed.agent.close();
  const { diskRecord } = machinePaths(host.settings, 1);
  const { replaced } = JSON.parse(readFileSync(diskRecord, "utf8"));
  writeFileSync(diskRecord, JSON.stringify({ ...replaced, cut: null }));
  bed.agent = await host.agent();
  await bed.start();
  await bed.agent.stop(1);
  expect(await bed.patternOf({ vmId: 1 })).toBe(own);
  await bed.expectNothingLeft();
});

/** A VM with snapshot 2's disk, since the restore 9 could not be undone. @returns the disk that it had */
async function notUndone(): Promise<string> {
  await makeBed(160);
  await bed.write(own);
  const spec = await bed.cloneSpec();
  await bed.agent.close();
  await crashAt({ settings: host.settings, act: "restore", failpoint: "agent.restore.switched", spec });
  bed.agent = await host.agent();
  fillDisk();
  const ask = { snapshotId: 2, operationId: 9 };
  await expect(bed.agent.restoreSnapshot(1, ask, report, unaborted)).rejects.toBeInstanceOf(RestoreNotUndone);
  rmSync(ballast());
  return replacedDisk();
}

async function replacedDisk(): Promise<string> {
  const { replaced } = await readDiskRecord(machinePaths(host.settings, 1));
  if (replaced === null) throw new Error("Nothing is on record that was replaced.");
  return replaced.disk;
}

const disks = () => readdirSync(machinePaths(host.settings, 1).folder);

test("a restore that fails when the host's disk has become full: the VM has its disk back", async () => {
  await makeBed(160);
  await takeMemory();
  await bed.write(own);
  await bed.start();
  const { state } = machinePaths(host.settings, 1);
  const progress = (_: number, message: string) => {
    if (!message.startsWith("Loading") || existsSync(ballast())) return;
    const { pid } = JSON.parse(readFileSync(state, "utf8")).process;
    fillDisk();
    process.kill(pid, "SIGKILL");
  };
  const ask = { snapshotId: 4, operationId: 9 };
  await expect(bed.agent.restoreSnapshot(1, ask, { log: () => {}, progress }, unaborted)).rejects.toBeDefined();
  rmSync(ballast());
  await bed.agent.start(1);
  await bed.untilEchoes(1);
  await bed.agent.stop(1);
  expect(await bed.patternOf({ vmId: 1 })).toBe(own);
  await bed.expectWholeSnapshots();
  await bed.expectNothingLeft();
});

test("the memory of a guest whose VM can't be read counts as nowhere else, until the VM is gone", async () => {
  await makeBed();
  await takeMemory();
  await bed.agent.close();
  const { folder, spec } = machinePaths(host.settings, 1);
  writeFileSync(spec, "{");

  bed.agent = await host.agent();
  expect((await bed.agent.observe(1)).state).toBe("absent");
  expect(await bed.agent.holdsEndedGuest(4)).toBe(true);
  expect(await bed.agent.holdsEndedGuest(2)).toBe(false);
  rmSync(folder, { recursive: true });
  expect(await bed.agent.holdsEndedGuest(4)).toBe(false);
});
