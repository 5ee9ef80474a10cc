import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { RestoreNotUndone } from "../../domain/restoreNotUndone";
import { TaskSuspended } from "../../domain/taskSuspended";
import { readSettings } from "../../env";
import type { FakeHypervisor } from "../../hypervisor/fake";
import { fakeSpec } from "../../hypervisor/fakeHost";
import { testHypervisor } from "../testAgent";
import { diskExport, exportFile } from "./exportKind";
import type { TaskCall } from "./kind";
import { snapshotRestore, snapshotTake } from "./snapshotKinds";

const silent = { progress() {}, log() {} };
const { signal } = new AbortController();

async function runningVm(): Promise<FakeHypervisor> {
  const hypervisor = testHypervisor();
  await hypervisor.ensure(fakeSpec(1));
  await hypervisor.start(1);
  return hypervisor;
}

function callOf(hypervisor: FakeHypervisor, rest: Partial<TaskCall> = {}): TaskCall {
  const dataDir = mkdtempSync(join(tmpdir(), "tasks-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const settings = readSettings({ NODE_ENV: "test", CUMULUS_DATA_DIR: dataDir, CUMULUS_RUN_DIR: join(dataDir, "run") });
  return { operationId: 7, settings, hypervisor, report: silent, signal, ...rest } as TaskCall;
}

const idsOf = async (hypervisor: FakeHypervisor) => (await hypervisor.listSnapshots()).map(({ id }) => id);
const take = { vmId: 1, snapshotId: 1, memory: true, freeze: true };
const restore = { vmId: 1, snapshotId: 1, memory: true, safety: { snapshotId: 2, memory: true } };

test("a safety snapshot is taken before the restore, and once when the task is run again", async () => {
  const hypervisor = await runningVm();
  const call = callOf(hypervisor);
  await snapshotTake.run(take, call);
  const first = await snapshotRestore.run(restore, call);
  expect(first).toMatchObject({ safety: { id: 2, parentId: 1 } });
  expect(await snapshotRestore.run(restore, call)).toEqual(first);
  expect(await idsOf(hypervisor)).toEqual([1, 2]);
});

test("a restore tells why the guest's clock is as it was then, with and without a safety snapshot", async () => {
  const hypervisor = await runningVm();
  await hypervisor.pause(1);
  await snapshotTake.run(take, callOf(hypervisor));
  const clockProblem = expect.stringMatching(/no agent/);
  expect(await snapshotRestore.run(restore, callOf(hypervisor))).toMatchObject({ clockProblem });
  const alone = callOf(hypervisor, { operationId: 8 });
  expect(await snapshotRestore.run({ ...restore, safety: null }, alone)).toMatchObject({ clockProblem });
});

test("a restore that was written down before it said whether with memory goes on with it", () => {
  const { memory: _, ...older } = restore;
  expect(snapshotRestore.params.parse(older)).toEqual({ ...older, memory: true });
});

test("a safety snapshot goes with a restore that fails", async () => {
  const hypervisor = await runningVm();
  await expect(snapshotRestore.run(restore, callOf(hypervisor))).rejects.toMatchObject({ code: "not_found" });
  expect(await idsOf(hypervisor)).toEqual([]);
});

test("no safety snapshot is taken for a restore that can't be", async () => {
  const hypervisor = await runningVm();
  await hypervisor.ensure(fakeSpec(2));
  await hypervisor.start(2);
  await hypervisor.takeSnapshot(2, { ...take, operationId: 6 }, silent, signal);
  hypervisor.takeSnapshot = async () => expect.unreachable("nothing comes of it");
  await expect(snapshotRestore.run(restore, callOf(hypervisor))).rejects.toMatchObject({ code: "bad_request" });
  expect(await idsOf(hypervisor)).toEqual([1]);
});

test("a safety snapshot of a run before this one goes with a restore that can't go on", async () => {
  const hypervisor = await runningVm();
  await snapshotTake.run(take, callOf(hypervisor));
  await hypervisor.takeSnapshot(1, { ...restore.safety, operationId: 7, freeze: true }, silent, signal);
  hypervisor.takeSnapshot = () => Promise.reject(new Error("The VM's QEMU doesn't answer."));
  await expect(snapshotRestore.run(restore, callOf(hypervisor))).rejects.toThrow("answer");
  expect(await idsOf(hypervisor)).toEqual([1]);
});

test("a snapshot whose task fails when it is whole goes", async () => {
  const hypervisor = await runningVm();
  const { vmId, ...ask } = take;
  await hypervisor.takeSnapshot(vmId, { ...ask, operationId: 7 }, silent, signal);
  await hypervisor.stop(vmId);
  hypervisor.takeSnapshot = () => Promise.reject(new Error("The folder can't be read."));
  await expect(snapshotTake.run(take, callOf(hypervisor))).rejects.toThrow("folder");
  expect(await idsOf(hypervisor)).toEqual([]);
});

test("a safety snapshot stays when the VM could not be given back what it had", async () => {
  const hypervisor = await runningVm();
  await snapshotTake.run(take, callOf(hypervisor));
  hypervisor.restoreSnapshot = () => Promise.reject(new RestoreNotUndone("/vms/1", new Error("No disk answers.")));
  await expect(snapshotRestore.run(restore, callOf(hypervisor))).rejects.toMatchObject({ code: "internal" });
  expect(await idsOf(hypervisor)).toEqual([1, 2]);
});

test("a safety snapshot stays when the agent stops in the middle: the restore goes on from there", async () => {
  const hypervisor = await runningVm();
  await snapshotTake.run(take, callOf(hypervisor));
  const stopping = new AbortController();
  const report = {
    log() {},
    // Past the half, the safety snapshot is there.
    progress: (percent: number) => void (percent > 50 && stopping.abort(new TaskSuspended())),
  };
  await expect(
    snapshotRestore.run(restore, callOf(hypervisor, { report, signal: stopping.signal })),
  ).rejects.toBeDefined();
  expect(await idsOf(hypervisor)).toEqual([1, 2]);
});

test("progress of the two halves is one progress", async () => {
  const hypervisor = await runningVm();
  await snapshotTake.run(take, callOf(hypervisor));
  const seen: number[] = [];
  const report = { log() {}, progress: (percent: number) => void seen.push(percent) };
  await snapshotRestore.run(restore, callOf(hypervisor, { report }));
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(seen.some((percent) => percent < 50) && seen.some((percent) => percent >= 50)).toBe(true);
});

test("an export that was whole before the agent ended is not written again", async () => {
  const hypervisor = await runningVm();
  const call = callOf(hypervisor);
  const params = { source: { vmId: 1 }, archive: null };
  const first = await diskExport.run(params, call);
  await hypervisor.remove(1);
  expect(await diskExport.run(params, call)).toEqual(first);
  expect(exportFile(call.settings, 7, "qcow2")).toMatch(/exports\/7\.qcow2$/);
});
