import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { MIB } from "../../domain/units";
import { pathsOf } from "../../env";
import type { Failpoint, snapshotFailpoints } from "../../failpoints";
import { commandLineOf } from "../../system/platform";
import { signal } from "../../system/testing/signal";
import { chosenCases } from "../../system/testing/slowTests";
import { StorageDaemon } from "../layers/storageDaemon";
import { machinePaths } from "../machinePaths";
import { agentOptionsOf, perform, type SnapshotAct } from "../testing/crashingSnapshotAgent";
import { patterns, present, SnapshotBed } from "../testing/snapshotBed";
import { TestHost, untilSeen } from "../testing/testHost";
import { until } from "../testing/until";

let host: TestHost;
let bed: SnapshotBed;
let armed: string;

beforeAll(async () => {
  host = await TestHost.make();
  bed = new SnapshotBed(host, await host.agent());
  armed = join(host.settings.dataDir, "failpoint");
  process.env.CUMULUS_FAILPOINT_FILE = armed;
});
afterEach(() => bed.expectNothingLeft());
afterAll(async () => {
  delete process.env.CUMULUS_FAILPOINT_FILE;
  await host?.close();
});

const { signal: unaborted } = new AbortController();
/** Where on the disk no snapshot of the bed's has written. */
const other = 50 * MIB;

const takes: SnapshotAct[] = ["take", "take-memory"];
/** Where it is not as any other. */
const copiedTakes: SnapshotAct[] = [...takes, "take-copied"];
const restores: SnapshotAct[] = ["restore", "restore-memory"];
const merges: SnapshotAct[] = ["remove-middle", "remove-newest", "fold"];

/** In which acts VM 1's QEMU, which runs when they begin, can die at each place. A new place is a type error until it stands here. */
const actsOf: Record<(typeof snapshotFailpoints)[number], SnapshotAct[]> = {
  "agent.snapshot.overlay-made": takes,
  "agent.snapshot.cut-written": takes,
  "agent.snapshot.frozen": takes,
  "agent.snapshot.copying": ["take-copied"],
  "agent.snapshot.held": copiedTakes,
  "agent.snapshot.switched": copiedTakes,
  "agent.snapshot.resumed": copiedTakes,
  "agent.snapshot.layer-written": copiedTakes,
  "agent.snapshot.layer-moved": copiedTakes,
  "agent.snapshot.before-complete": copiedTakes,
  "agent.snapshot.complete": copiedTakes,
  "agent.restore.disk-made": restores,
  // The guest was ended, and has no QEMU.
  "agent.restore.stopped": [],
  "agent.restore.switched": [],
  // It is another QEMU by then, which has a test of its own below.
  "agent.restore.started": [],
  "agent.snapshot-remove.renamed": ["remove-middle", "remove-newest"],
  "agent.merge.written": merges,
  // What goes into the disk of a VM that runs replaces no file.
  "agent.merge.replaced": ["remove-middle", "fold"],
  "agent.merge.unlinked": merges,
};

const places: [SnapshotAct, Failpoint][] = [
  ...chosenCases(actsOf).map(([place, act]): [SnapshotAct, Failpoint] => [act, place]),
  ["clone", "agent.ensure.disk-made"],
];

test.each(places)(
  "QEMU killed in %s, at %s: what was asked is whole or absent, and the VM starts",
  async (act, place) => {
    await bed.agent.close();
    bed.agent = await host.agent(agentOptionsOf(act));
    await bed.makeVm();
    await bed.start();
    if (act === "restore-memory") await bed.take(4, true);
    const { pid } = await bed.agent.observe(1);
    writeFileSync(armed, `${place} ${pid}`);
    const done = await perform(bed.agent, act, await bed.cloneSpec()).then(
      () => true,
      () => false,
    );
    await until(() => !existsSync(armed));
    await untilSeen(bed.agent, 1, (seen) => seen.pid !== pid);

    const ids = (await bed.agent.listSnapshots()).map(({ id }) => id);
    if (act.startsWith("take")) expect(ids.includes(9)).toBe(done);
    if (act === "remove-middle") expect(ids).toEqual([1, 3]);
    if (act === "remove-newest") expect(ids).toEqual([1, 2]);
    if (act === "fold") expect(ids).toEqual([1, 2, 3, 5, 6, 7, 8, 9]);
    if (act === "clone") expect(await bed.patternOf({ vmId: 2 })).toBe(patterns[2]);
    await bed.expectWholeSnapshots();
    await bed.start();
    await bed.untilEchoes(1);
    await bed.agent.stop(1);
    expect(await bed.patternOf({ vmId: 1 })).toBe(act === "restore" && done ? patterns[2] : present);
    await bed.expectWholeDisk();
  },
);

/** Of no process. */
const nobody = 2 ** 30;

test.each([
  ["restore", patterns[2]],
  ["restore-memory", present],
] as const)("the QEMU that a %s has just started is killed: the VM is put back, and starts", async (act, pattern) => {
  await bed.makeVm();
  await bed.start();
  if (act === "restore-memory") await bed.take(4, true);
  const { pid: before } = await bed.agent.observe(1);
  const { state } = machinePaths(host.settings, 1);
  const killed: number[] = [];
  const kill = process.kill.bind(process);
  // Whom it is to hit is known only when the place is come to.
  const killing = vi.spyOn(process, "kill").mockImplementation((pid, signal) => {
    if (pid !== nobody) return kill(pid, signal);
    killed.push(JSON.parse(readFileSync(state, "utf8")).process.pid);
    return kill(killed[0] ?? nobody, signal);
  });
  onTestFinished(() => killing.mockRestore());
  writeFileSync(armed, `agent.restore.started ${nobody}`);
  await perform(bed.agent, act, await bed.cloneSpec());
  expect(killed).toEqual([expect.any(Number)]);
  expect(killed).not.toEqual([before]);
  await untilSeen(bed.agent, 1, (seen) => seen.state === "crashed");

  // It was done: asked again, it is not done over what the guest writes from now on.
  await bed.start();
  await bed.untilEchoes(1);
  await perform(bed.agent, act, await bed.cloneSpec());
  await bed.untilEchoes(1);
  await bed.agent.stop(1);
  expect(await bed.patternOf({ vmId: 1 })).toBe(pattern);
  await bed.expectWholeDisk();
  await bed.expectWholeSnapshots();
});

test("QEMU killed while it takes in a snapshot's memory: the VM has its disk back", async () => {
  await bed.makeVm();
  await bed.start();
  await bed.take(4, true);
  await bed.take(5);
  const { state } = machinePaths(host.settings, 1);
  const progress = (_: number, message: string) => {
    if (message.startsWith("Loading")) process.kill(JSON.parse(readFileSync(state, "utf8")).process.pid, "SIGKILL");
  };
  const report = { log: () => {}, progress };
  const ask = { snapshotId: 4, operationId: 9 };
  await expect(bed.agent.restoreSnapshot(1, ask, report, unaborted)).rejects.toMatchObject({
    code: expect.stringMatching(/./),
  });
  await bed.start();
  await bed.untilEchoes(1);
  await bed.agent.stop(1);
  expect(await bed.patternOf({ vmId: 1 })).toBe(present);
  await bed.expectWholeDisk();
  await bed.expectWholeSnapshots();
});

test("QEMU killed after it took in a layer that is gone: what that layer alone held is there", async () => {
  await bed.makeVm();
  await bed.write("0x55", other);
  await bed.take(9);
  await bed.start();
  await bed.agent.removeSnapshot(9);
  const { layers } = pathsOf(host.settings);
  await until(async () => (await bed.diskChain()).length === 3);
  await until(() => readdirSync(layers).filter((name) => name.endsWith(".json")).length === 3);
  const { pid } = await bed.agent.observe(1);
  signal(pid, "SIGKILL");
  await untilSeen(bed.agent, 1, ({ state }) => state === "crashed");
  expect(await bed.holds("0x55", other)).toBe(true);
  expect(await bed.patternOf({ vmId: 1 })).toBe(present);
  await bed.expectWholeDisk();
  await bed.expectWholeSnapshots();
});

test("the process that merged a layer is killed as it ends: what that layer alone held is there", async () => {
  await bed.makeVm();
  await bed.write("0x55", other);
  await bed.take(9);
  const killing = vi.spyOn(StorageDaemon.prototype, "close").mockImplementation(async () => {
    for (const pid of await storageDaemons()) process.kill(pid, "SIGKILL");
    await until(async () => (await storageDaemons()).length === 0);
  });
  onTestFinished(() => killing.mockRestore());
  await bed.agent.removeSnapshot(9);
  await until(async () => (await bed.diskChain()).length === 3);
  expect(killing).toHaveBeenCalled();
  expect(await bed.holds("0x55", other)).toBe(true);
  expect(await bed.patternOf({ vmId: 1 })).toBe(present);
  await bed.expectWholeDisk();
});

async function storageDaemons(): Promise<number[]> {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map(async (pid) => (await commandLineOf(Number(pid))) ?? ""));
  const isOurs = (line: string) => line.includes("qemu-storage-daemon") && line.includes(host.settings.dataDir);
  return pids.filter((_, index) => isOurs(lines[index] ?? "")).map(Number);
}

test("what was done is answered as done though QEMU hangs since, and a snapshot though the VM is gone", async () => {
  await bed.makeVm();
  await bed.start();
  const taken = await bed.take(4);
  const restoring = { snapshotId: 4, operationId: 10 };
  const restore = () => bed.agent.restoreSnapshot(1, restoring, { log: () => {}, progress: () => {} }, unaborted);
  await restore();
  const { pid } = await bed.agent.observe(1);
  signal(pid, "SIGSTOP");
  await untilSeen(bed.agent, 1, ({ state }) => state === "unresponsive");
  expect(await bed.take(4)).toEqual(taken);
  expect(await restore()).toMatchObject({ state: "unresponsive", pid });
  await bed.agent.remove(1);
  expect(await bed.take(4)).toMatchObject({ id: 4 });
});
