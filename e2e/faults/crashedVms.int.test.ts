import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Operation } from "../../lib/domain/operation";
import { stopVms } from "../../lib/up/stopVms";
import { bootMs } from "../stack";
import { type FaultStack, startFaultStack } from "./faultStack";

/** VMs whose QEMU was killed: whoever wants them off or on again gets that. */

let stack: FaultStack;

beforeAll(async () => {
  stack = await startFaultStack();
}, 120_000);
afterEach(() => stack.agrees());
afterAll(() => stack?.stop());

/** The id of a VM that ran, and whose QEMU was killed. */
async function crashedVm(name: string): Promise<number> {
  const { id } = await stack.createVm(name);
  await stack.settles(id, { status: "running" });
  await killQemu(id);
  return id;
}

async function killQemu(id: number): Promise<void> {
  const pid = await stack.qemuPid(id);
  if (pid === null) throw new Error("A VM that runs has a process.");
  process.kill(pid, "SIGKILL");
  await stack.settles(id, { status: "failed", observed: "crashed" });
}

async function destroy(id: number): Promise<void> {
  await stack.api("DELETE", `/api/vms/${id}`);
  await stack.isGone(id);
}

/** A request of the OS Cloud lab's interface. */
async function lab(path: string, id: number): Promise<unknown> {
  return (await stack.api("POST", path, { id })).body;
}

test("a stop has it stopped, with nothing left open, and a start brings it back", async () => {
  const id = await crashedVm("stopped-after-crash");
  await stack.power(id, "stop");
  await stack.settles(id, { status: "stopped", observed: "stopped", statusReason: null });
  const { body } = await stack.api<{ items: Operation[] }>("GET", `/api/operations?vm=${id}`);
  expect(body.items.find(({ kind }) => kind === "stop")).toMatchObject({ status: "done", error: null });
  await stack.power(id, "start");
  await stack.settles(id, { status: "running" });
  await destroy(id);
});

test("the lab's interface says that it is off, starts it, and stops it", async () => {
  const id = await crashedVm("lab-after-crash");
  expect(await lab("/vm_info", id)).toMatchObject({ state: "STOPPED" });
  expect(await lab("/vm_start", id)).toEqual({ status: "ok" });
  expect(await lab("/vm_info", id)).toMatchObject({ state: "RUNNING" });
  await killQemu(id);
  expect(await lab("/vm_stop", id)).toEqual({ status: "ok" });
  expect(await lab("/vm_info", id)).toMatchObject({ state: "STOPPED" });
  expect(await lab("/vm_start", id)).toEqual({ status: "ok" });
  await destroy(id);
});

test("stopping all VMs stops it with those that run", async () => {
  const crashed = await crashedVm("crashed");
  const { id: running } = await stack.createVm("running");
  await stack.settles(running, { status: "running", isReady: true }, bootMs);
  expect(await stopVms(stack.settings)).toBe(true);
  for (const id of [crashed, running]) {
    await stack.settles(id, { status: "stopped", observed: "stopped" });
    await destroy(id);
  }
}, 300_000);
