import { readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { TaskReport } from "../../domain/task";
import { KIB, MIB } from "../../domain/units";
import { pathsOf } from "../../env";
import { signal as signalTo } from "../../system/testing/signal";
import { diskFile, readDiskRecord } from "../diskRecord";
import type { Hypervisor } from "../hypervisor";
import { machinePaths } from "../machinePaths";
import { receiverPids } from "../testing/receiverPids";
import { TestHost, untilSeen } from "../testing/testHost";
import { until } from "../testing/until";
import { onceBytes } from "./memoryBytes";
import { MemoryReceiver } from "./memoryStream";

/** While it is set, the host says that there is room enough, as it does when somebody else takes that room a moment later. */
const room = vi.hoisted(() => ({ isPromised: false }));
vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<typeof import("node:fs/promises")>();
  const statfs = async (path: string) => {
    const said = await real.statfs(path);
    return { ...said, bavail: room.isPromised ? 2 ** 30 : said.bavail };
  };
  return { ...real, statfs };
});

/** How much is left: one after the other the overlay, the disk's record, the VM's state and the layer's manifest don't fit any more. */
const leftKiB = [0, 192, 196, 200, 204];

const report: TaskReport = { progress: () => {}, log: () => {} };
const { signal } = new AbortController();
const offset = 40 * MIB;
const present = "0x44";
const patterns: Record<number, string> = { 1: "0x11", 2: "0x22", 3: "0x33" };

let host: TestHost;
let agent: Hypervisor;
let lastOperation = 100;

beforeAll(async () => {
  host = await TestHost.make(128);
  agent = await host.agent({ copiesMemoryAboveBytes: 0 });
});
afterEach(async () => {
  makeRoom();
  for (const { id } of await agent.observeAll()) await agent.remove(id);
  for (const { id } of await agent.listSnapshots()) await agent.removeSnapshot(id);
  await until(() => layerFiles().length === 0);
});
afterAll(() => host?.close());

test.each([
  ["is off", false],
  ["runs", true],
])("no room for a snapshot of a VM that %s: there is none, and the VM goes on", async (_, isRunning) => {
  await makeVm(isRunning);
  for (const kib of leftKiB) {
    const refused = await withRoom(kib, () => take(9));
    expectRefusedOrDone(refused);
    await expectSound(isRunning);
    expect(await take(9)).toMatchObject({ id: 9 });
    await agent.removeSnapshot(9);
  }
  await expectSoundAtRest();
});

test("a snapshot with memory is refused before anything is done while there is less room than its memory may take", async () => {
  const memoryBytes = 32 * MIB;
  await agent.ensure(await host.spec(1, { memoryBytes }));
  await agent.start(1);
  await untilSeen(agent, 1, ({ milestones }) => milestones["first-boot"] !== undefined);
  const mostBytes = onceBytes({ arch: "x86_64", memoryBytes });
  const said: string[] = [];
  const told = { ...report, progress: (_: number, message: string) => said.push(message) };
  const ask = { snapshotId: 9, operationId: 9, memory: true, freeze: false };
  const takeAll = () => agent.takeSnapshot(1, ask, told, signal);
  // More than all of the memory, and yet too little.
  fill(memoryBytes / KIB + 24 * KIB, { isPromised: false });
  await expect(takeAll()).rejects.toMatchObject({ code: "insufficient_capacity" });
  expect(said).toEqual([]);
  makeRoom();
  fill(Math.ceil(mostBytes / KIB) + 17 * KIB, { isPromised: false });
  expect((await takeAll()).memoryBytes).toBeLessThanOrEqual(mostBytes);
  makeRoom();
  await agent.stop(1);
});

test.each([
  { kib: 64, isSeen: true, words: "too full for this snapshot", isSettled: true },
  { kib: 64, isSeen: false, words: "too full for the guest's memory", isSettled: true },
  // What became of the disk can't be written down either: the next act does it.
  { kib: 0, isSeen: false, words: "is full", isSettled: false },
])(
  "no room but $kib KiB any more while memory is copied, seen at once: $isSeen: no snapshot, and the guest goes on",
  async ({ kib, isSeen, words, isSettled }) => {
    await makeVm(true);
    const disk = await diskOf(1);
    const refused = await withReceiverHeld(async (held, letGo) => {
      const progress = (_: number, message: string) => {
        if (!message.startsWith("Writing the memory") || held.length === 0) return;
        fill(kib, { isPromised: !isSeen });
        letGo();
      };
      return take(9, { memory: true, progress }).catch((error: unknown) => error);
    });
    expect(refused).toMatchObject({ code: "insufficient_capacity", message: expect.stringContaining(words) });
    expect(receiverPids(host.settings)).toEqual([]);
    const { cut } = await readDiskRecord(machinePaths(host.settings, 1));
    expect(cut === null).toBe(isSettled);
    expect((await diskOf(1)) === disk).toBe(isSeen || !isSettled);
    await expectSound(true);
    makeRoom();
    await expectSound(true);
    expect(await take(9, { memory: true })).toMatchObject({ id: 9, consistency: "memory" });
    await agent.removeSnapshot(9);
    await expectSoundAtRest();
  },
);

test.each([
  ["is off", false],
  ["runs", true],
])("no room to put back a VM that %s: it has the disk that it had", async (_, isRunning) => {
  await makeVm(isRunning);
  await take(4);
  for (const kib of leftKiB) {
    const refused = await withRoom(kib, () => restore(2));
    expectRefusedOrDone(refused);
    if (isRunning) await agent.start(1);
    else await expectIn(await diskOf(1), refused === null ? patterns[2] : present);
    if (refused === null) await restore(4);
    await expectSound(isRunning);
  }
  await expectSoundAtRest();
});

test("no room for a VM from a snapshot, or for an export: there is none", async () => {
  await makeVm(false);
  const target = join(pathsOf(host.settings).staging, "export.qcow2");
  for (const kib of [...leftKiB, 216, 340]) {
    const spec = await host.spec(2, { disk: { imageSha256: host.imageSha256, sizeBytes: 64 * MIB, snapshotId: 2 } });
    const refused = await withRoom(kib, () => agent.ensure(spec));
    expectRefusedOrDone(refused);
    expect((await agent.observe(2)).state).toBe(refused === null ? "stopped" : "absent");
    await agent.ensure(spec);
    await expectIn(await diskOf(2), patterns[2]);
    await agent.remove(2);

    const exporting = await withRoom(kib, () => agent.exportDisk({ snapshotId: 3 }, { disk: target }, report, signal));
    expectRefusedOrDone(exporting);
    expect(readdirSync(pathsOf(host.settings).staging)).toEqual(exporting === null ? ["export.qcow2"] : []);
    rmSync(target, { force: true });
  }
  await expectSound(false);
});

test.each([
  { isRunning: false, snapshotId: 3, kib: 320, where: "the disk of a VM that is off" },
  { isRunning: true, snapshotId: 3, kib: 64, where: "the disk of a VM that runs" },
  { isRunning: true, snapshotId: 2, kib: 320, where: "another layer" },
])("no room to merge what a deleted snapshot leaves into $where: it stays until there is", async (merge) => {
  const { isRunning, snapshotId, kib } = merge;
  await makeVm(isRunning);
  const told = host.messages.length;
  const isToldOf = () => host.messages.slice(told).some(({ message }) => message.includes("could not be merged yet"));
  const removing = withRoom(kib, async () => {
    await agent.removeSnapshot(snapshotId);
    await until(isToldOf);
  });
  expect(await removing).toBeNull();
  expect(layerFiles()).toHaveLength(6);
  await expectSound(isRunning);
  // Any act looks for space to give back.
  await take(9);
  await until(isSettled);
  await expectSoundAtRest();
});

/** A VM with three snapshots of its disk; each holds something else. */
async function makeVm(isRunning: boolean): Promise<void> {
  await agent.ensure(await host.spec(1));
  for (const [id, pattern] of Object.entries(patterns)) {
    await write(pattern);
    await write(pattern, offset + Number(id) * MIB);
    await take(Number(id));
  }
  await write(present);
  if (!isRunning) return;
  await agent.start(1);
  await untilSeen(agent, 1, ({ milestones }) => milestones["first-boot"] !== undefined);
}

/** Nothing is left to be merged. */
async function isSettled(): Promise<boolean> {
  return layerFiles().length === 2 * (await agent.listSnapshots()).length;
}

/** Fills the data folder's file system up to what is left, and answers with what the act rejected with; null: nothing. */
async function withRoom(kib: number, act: () => Promise<unknown>): Promise<unknown> {
  await until(isSettled);
  fill(kib, { isPromised: true });
  try {
    await act();
    return null;
  } catch (error) {
    return error;
  } finally {
    makeRoom();
  }
}

/** @param isPromised whether the host says that there is room enough */
function fill(kib: number, { isPromised }: { isPromised: boolean }): void {
  const { bavail, bsize } = statfsSync(host.settings.dataDir);
  writeFileSync(ballast(), Buffer.alloc(bavail * bsize - kib * KIB));
  room.isPromised = isPromised;
}

function makeRoom(): void {
  room.isPromised = false;
  rmSync(ballast(), { force: true });
}

function ballast(): string {
  return join(host.settings.dataDir, "ballast");
}

/** Has who takes a guest's memory for the first time take nothing until it is let go, so that QEMU can't be done with it. */
async function withReceiverHeld<T>(act: (held: readonly number[], letGo: () => void) => Promise<T>): Promise<T> {
  const held: number[] = [];
  const letGo = () => {
    for (const pid of held.splice(0)) signalTo(pid, "SIGCONT");
  };
  const listen = MemoryReceiver.listen.bind(MemoryReceiver);
  const listening = vi.spyOn(MemoryReceiver, "listen").mockImplementationOnce(async (...args) => {
    const receiver = await listen(...args);
    held.push(...receiverPids(host.settings));
    for (const pid of held) signalTo(pid, "SIGSTOP");
    return receiver;
  });
  try {
    return await act(held, letGo);
  } finally {
    letGo();
    listening.mockRestore();
  }
}

function expectRefusedOrDone(error: unknown): void {
  if (error === null) return;
  expect(error).toMatchObject({
    code: "insufficient_capacity",
    message: expect.stringMatching(/^The disk of this host/),
  });
}

function take(snapshotId: number, { memory = false, ...told }: Partial<TaskReport> & { memory?: boolean } = {}) {
  const ask = { snapshotId, operationId: snapshotId, memory, freeze: false };
  return agent.takeSnapshot(1, ask, { ...report, ...told }, signal);
}

function restore(snapshotId: number) {
  lastOperation += 1;
  return agent.restoreSnapshot(1, { snapshotId, operationId: lastOperation }, report, signal);
}

function layerFiles(): string[] {
  return readdirSync(pathsOf(host.settings).layers);
}

async function write(pattern: string, at = offset): Promise<void> {
  await execa("qemu-io", ["-f", "qcow2", "-c", `write -P ${pattern} ${at} 128k`, await diskOf(1)]);
}

function diskOf(id: number): Promise<string> {
  return diskFile(machinePaths(host.settings, id));
}

/** qemu-io fails when it reads something else. */
async function expectIn(file: string, pattern: string | undefined): Promise<void> {
  const read = `read -P ${pattern} ${offset} 128k`;
  await execa("qemu-io", ["--force-share", "-r", "-f", "qcow2", "-c", read, file]);
}

/** The VM is as it was, and so are its snapshots; every file is sound and belongs to something. */
async function expectSound(isRunning: boolean): Promise<void> {
  const { layers, machines, snapshots } = pathsOf(host.settings);
  expect(readdirSync(snapshots)).toEqual((await agent.listSnapshots()).map(({ id }) => String(id)));
  for (const name of readdirSync(layers)) {
    expect(name).toMatch(/^[0-9a-f]{16}\.(json|qcow2)$/);
    if (name.endsWith(".qcow2")) await check(join(layers, name));
  }
  for (const { id } of await agent.listSnapshots()) {
    if (patterns[id] === undefined) continue;
    const record = JSON.parse(await readFile(join(snapshots, String(id), "snapshot.json"), "utf8"));
    await expectIn(join(layers, `${record.layerId}.qcow2`), patterns[id]);
  }
  // Milestones are written down behind.
  await until(() => !readdirSync(join(machines, "1")).some((name) => name.endsWith(".tmp")));
  // What a QEMU has of its disk is not all in the file.
  if (isRunning) return echoes();
  await check(await diskOf(1));
  await expectIn(await diskOf(1), present);
}

async function expectSoundAtRest(): Promise<void> {
  await agent.stop(1);
  await until(isSettled);
  await expectSound(false);
}

async function check(file: string): Promise<void> {
  await execa("qemu-img", ["check", "-q", "--force-share", "-f", "qcow2", file]);
}

async function echoes(): Promise<void> {
  await untilSeen(agent, 1, ({ state }) => state === "running");
  const stream = await agent.openSerial(1);
  let shown = "";
  stream.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
  });
  const mark = String(lastOperation);
  stream.write(mark);
  await until(() => shown.includes(mark));
  stream.destroy();
}
