import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTimeOf } from "../system/platform";
import type { Hypervisor } from "./hypervisor";
import { TestHost, untilSeen } from "./testing/testHost";
import { openTerminal, startTestVm } from "./testing/testVm";
import { until } from "./testing/until";

let host: TestHost;
let agent: Hypervisor;
let lastId = 0;

beforeAll(async () => {
  host = await TestHost.make();
  agent = await host.agent();
});
afterAll(async () => {
  await host.close();
});

const running = () => startTestVm(host, agent, ++lastId);

describe("the guest", () => {
  test("that turns itself off is stopped by the guest", async () => {
    const { id, pid } = await running();
    const { stream } = await openTerminal(agent, id);
    stream.write("o");
    await untilSeen(agent, id, (seen) => seen.state === "stopped" && seen.stoppedBy === "guest");
    expect(await startTimeOf(pid)).toBeNull();
    await agent.remove(id);
  });

  test("that obeys the power button is stopped by request", async () => {
    const { id } = await running();
    expect(await agent.shutdown(id)).toMatchObject({ pendingAct: "shutdown" });
    await untilSeen(agent, id, (seen) => seen.state === "stopped" && seen.stoppedBy === "request");
    expect(await agent.lastScreenshot(id)).toMatchObject({ length: expect.any(Number) });
    await agent.remove(id);
  });

  test("that obeys the power button is rebooted once for an operation, in the same QEMU", async () => {
    const { id, pid } = await running();
    await agent.reboot(id, 7, 20_000);
    await untilSeen(agent, id, (seen) => seen.bootCount === 2 && seen.milestones["first-boot"] !== undefined);
    expect(await agent.reboot(id, 7, 20_000)).toMatchObject({ state: "running", pid, bootCount: 2, pendingAct: null });
    await agent.remove(id);
  });

  test("that is deaf to the power button is reset at the reboot's deadline", async () => {
    const { id, pid } = await running();
    const shown = await openTerminal(agent, id);
    shown.stream.write("d");
    await until(() => shown.text.endsWith("d"));
    await agent.reboot(id, 8, 300);
    await untilSeen(agent, id, (seen) => seen.bootCount === 2);
    expect(await agent.observe(id)).toMatchObject({ state: "running", pid, pendingAct: null });
    await agent.remove(id);
  });

  test("that resets itself boots anew: its milestones begin again at the kernel", async () => {
    const { id } = await running();
    const before = await agent.observe(id);
    const { stream } = await openTerminal(agent, id);
    stream.write("r");
    const after = await untilSeen(
      agent,
      id,
      (seen) => seen.bootCount === 2 && seen.milestones["first-boot"] !== undefined,
    );
    expect(after.milestones.started).toBe(before.milestones.started);
    expect(Date.parse(after.milestones.kernel ?? "")).toBeGreaterThan(Date.parse(before.milestones.kernel ?? ""));
    await agent.remove(id);
  });

  test("is paused, resumed and reset; a reset is done once for an operation", async () => {
    const { id } = await running();
    expect(await agent.pause(id)).toMatchObject({ state: "paused" });
    expect(await agent.pause(id)).toMatchObject({ state: "paused" });
    await expect(agent.shutdown(id)).rejects.toMatchObject({ code: "wrong_state" });
    expect(await agent.resume(id)).toMatchObject({ state: "running" });
    await agent.reset(id, 9);
    expect(await agent.reset(id, 9)).toMatchObject({ state: "running", bootCount: 2 });
    await agent.remove(id);
  });
});

describe("faults", () => {
  test("a QEMU that is killed is seen as crashed, with the signal", async () => {
    const { id, pid } = await running();
    process.kill(pid, "SIGKILL");
    const seen = await untilSeen(agent, id, ({ state }) => state === "crashed");
    expect(seen.reason).toContain("SIGKILL");
    expect(await agent.start(id)).toMatchObject({ state: "running", bootCount: 2 });
    await agent.remove(id);
  });

  test("a VM whose QEMU was killed is stopped by a stop, also for the next agent, and can be started", async () => {
    const { id, pid } = await running();
    process.kill(pid, "SIGKILL");
    await untilSeen(agent, id, ({ state }) => state === "crashed");
    const stopped = { state: "stopped", stoppedBy: "request", reason: null, pid: null };
    expect(await agent.stop(id)).toMatchObject(stopped);
    await agent.close();
    agent = await host.agent();
    expect(await agent.observe(id)).toMatchObject(stopped);
    expect(await agent.start(id)).toMatchObject({ state: "running", bootCount: 2 });
    await agent.remove(id);
  });

  test("a QEMU that someone ends by SIGTERM has crashed too", async () => {
    const { id, pid } = await running();
    process.kill(pid, "SIGTERM");
    expect(await untilSeen(agent, id, ({ state }) => state === "crashed")).toMatchObject({ stoppedBy: null });
    await agent.remove(id);
  });

  test("a QEMU that is stopped is unresponsive, delays nobody, and is back when it goes on", async () => {
    const [stopped, other] = [await running(), await running()];
    process.kill(stopped.pid, "SIGSTOP");
    await untilSeen(agent, stopped.id, ({ state }) => state === "unresponsive");
    // Done while it stands still.
    await agent.pause(other.id);
    await agent.resume(other.id);
    expect(await agent.observeAll()).toContainEqual(expect.objectContaining({ id: stopped.id, state: "unresponsive" }));
    process.kill(stopped.pid, "SIGCONT");
    await untilSeen(agent, stopped.id, ({ state, pid }) => state === "running" && pid === stopped.pid);
    await Promise.all([agent.remove(stopped.id), agent.remove(other.id)]);
  });

  test("stop ends even a QEMU that doesn't answer", async () => {
    const { id, pid } = await running();
    process.kill(pid, "SIGSTOP");
    expect(await agent.stop(id)).toMatchObject({ state: "stopped", stoppedBy: "request" });
    expect(await startTimeOf(pid)).toBeNull();
    await agent.remove(id);
  });
});
