import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Vm } from "../../lib/domain/vm";
import { bootMs, until } from "../stack";
import { type FaultStack, startFaultStack } from "./faultStack";

let stack: FaultStack;
let bystander: Vm;
let bystanderPid: number | null;

beforeAll(async () => {
  stack = await startFaultStack();
  bystander = await stack.createVm("bystander");
  await stack.settles(bystander.id, { status: "running" });
  bystanderPid = await stack.qemuPid(bystander.id);
}, 120_000);
afterEach(async () => {
  await stack.revive();
  expect(await stack.qemuPid(bystander.id)).toBe(bystanderPid);
  await stack.agrees();
});
afterAll(() => stack?.stop());

async function runningVm(name: string): Promise<{ vm: Vm; pid: number }> {
  const { id } = await stack.createVm(name);
  const vm = await stack.settles(id, { status: "running" });
  const pid = await stack.qemuPid(id);
  if (pid === null) throw new Error("A VM that runs has a process.");
  return { vm, pid };
}

async function destroy({ id }: Vm): Promise<void> {
  await stack.api("DELETE", `/api/vms/${id}`);
  await stack.isGone(id);
}

test("console and agent killed at once in the middle of a create: it is done when both are back", async () => {
  const vm = await stack.createVm("both-killed");
  await Promise.all([stack.kill("console"), stack.kill("agent")]);
  await stack.revive();
  await stack.settles(vm.id, { status: "running" });
  await destroy(vm);
});

test("while PostgreSQL is away the API says so and VMs run; it recovers by itself", async () => {
  const consolePid = await stack.pidOf("console");
  await stack.stopPostgres();
  const awayUntilMs = Date.now() + 10_000;
  while (Date.now() < awayUntilMs) {
    for (const [method, path] of [
      ["GET", "/api/vms"],
      ["POST", `/api/vms/${bystander.id}/stop`],
      ["GET", "/api/health"],
    ] as const) {
      const answer = await stack.api<{ code: string }>(method, path, method === "POST" ? {} : undefined);
      expect(answer).toMatchObject({ status: 503, body: { code: "unavailable" } });
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    expect(await stack.qemuPid(bystander.id)).toBe(bystanderPid);
    await delay(500);
  }
  await stack.startPostgres();
  await stack.settles(bystander.id, { status: "running" });
  const { vm } = await runningVm("after-outage");
  await destroy(vm);
  expect(await stack.pidOf("console")).toBe(consolePid);
});

test("a QEMU that is killed is told as crashed, with the reason, and can be started again", async () => {
  const { vm, pid } = await runningVm("killed");
  process.kill(pid, "SIGKILL");
  const seen = await stack.settles(vm.id, { status: "failed", observed: "crashed" });
  expect(seen.statusReason).toMatch(/SIGKILL/);
  await stack.power(vm.id, "start");
  await stack.settles(vm.id, { status: "running" });
  expect(await stack.qemuPid(vm.id)).not.toBe(pid);
  await destroy(vm);
});

test("a QEMU that is killed while the agent is away is told as crashed, and not started by itself", async () => {
  const { vm, pid } = await runningVm("killed-unseen");
  await stack.kill("agent");
  process.kill(pid, "SIGKILL");
  await stack.revive();
  const seen = await stack.settles(vm.id, { status: "failed", observed: "crashed" });
  expect(seen.statusReason).toMatch(/while the agent was away/);
  await destroy(vm);
});

test("a QEMU that stands still is told as unreachable, delays nobody and can be stopped", async () => {
  const { vm, pid } = await runningVm("stopped-process");
  process.kill(pid, "SIGSTOP");
  await stack.settles(vm.id, { status: "unreachable", observed: "unresponsive" });
  expect((await stack.api<Vm>("GET", `/api/vms/${bystander.id}`)).body.status).toBe("running");
  const { vm: other } = await runningVm("beside");
  await destroy(other);
  await stack.power(vm.id, "stop");
  await stack.settles(vm.id, { status: "stopped" });
  await destroy(vm);
});

test("an agent that starts beside a QEMU that stands still takes up the others at once, and that one when it goes on", async () => {
  const { vm, pid } = await runningVm("stopped-at-start");
  await stack.kill("agent");
  process.kill(pid, "SIGSTOP");
  await stack.revive();
  expect((await stack.agent.observe(bystander.id)).state).toBe("running");
  await stack.settles(vm.id, { observed: "unresponsive" });
  process.kill(pid, "SIGCONT");
  await stack.settles(vm.id, { status: "running" });
  expect(await stack.qemuPid(vm.id)).toBe(pid);
  await destroy(vm);
});

test("a guest that turns itself off is off, and stays so over a restart of everything", async () => {
  const userData = "#cloud-config\nruncmd:\n  - poweroff\n";
  const { body: vm } = await stack.api<Vm>("POST", "/api/vms", {
    name: "own-will",
    image: "mini",
    size: "nano",
    userData,
  });
  await stack.settles(vm.id, { status: "stopped", desired: "stopped" }, bootMs);
  for (const part of ["console", "agent", "postgres"] as const) await stack.kill(part);
  await stack.revive();
  const observedAt = (await stack.settles(vm.id, { status: "stopped" })).observedAt;
  await until("it was looked at anew", async () => {
    const { body } = await stack.api<Vm>("GET", `/api/vms/${vm.id}`);
    return body.observedAt !== observedAt;
  });
  await stack.settles(vm.id, { status: "stopped", desired: "stopped", observed: "stopped" });
  await destroy(vm);
}, 300_000);
