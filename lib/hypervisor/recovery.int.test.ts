import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pathsOf } from "../env";
import { agentFailpoints, type Failpoint } from "../failpoints";
import { projectDir } from "../paths";
import { startTimeOf } from "../system/platform";
import type { Hypervisor } from "./hypervisor";
import { machinePaths } from "./machinePaths";
import { TestHost, untilSeen } from "./testing/testHost";
import { until } from "./testing/until";

let host: TestHost;
let agent: Hypervisor;

beforeEach(async () => {
  host = await TestHost.make();
  agent = await host.agent();
});
afterEach(async () => {
  await host.close();
});

async function running(id: number): Promise<number> {
  await agent.ensure(await host.spec(id));
  await agent.start(id);
  const { pid } = await untilSeen(agent, id, (seen) => seen.milestones["first-boot"] !== undefined);
  return pid ?? 0;
}

/** Waits until the guest answers what is typed on its serial port: it lives. Answers all that the port shows. */
async function untilEchoes(id: number): Promise<string> {
  const shown: string[] = [];
  const stream = await agent.openSerial(id);
  stream.on("data", (chunk: Buffer) => shown.push(chunk.toString()));
  stream.write("hi");
  return until(() => (shown.join("").includes("hi") ? shown.join("") : null));
}

/** Another agent in the place of the first one; VMs run on in between. */
async function restartAgent(meanwhile: () => Promise<unknown> = async () => {}): Promise<void> {
  await agent.close();
  await meanwhile();
  agent = await host.agent();
}

async function rewriteState(id: number, change: (state: Record<string, unknown>) => object): Promise<void> {
  const path = machinePaths(host.settings, id).state;
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, "utf8")))));
}

describe("an agent that comes back", () => {
  test("takes up a VM that runs: same process, same boot, and it obeys", async () => {
    const pid = await running(1);
    const before = await agent.observe(1);
    await restartAgent();
    const after = await untilSeen(agent, 1, (seen) => seen.state === "running" && seen.pid === pid);
    expect({ ...after, observedAt: null }).toEqual({ ...before, observedAt: null });
    expect(await untilEchoes(1)).toContain("the agent was away");
    expect(await agent.start(1)).toMatchObject({ pid });
    await agent.shutdown(1);
    await untilSeen(agent, 1, (seen) => seen.stoppedBy === "request");
  });

  test("takes up 20 side by side, though none of them answers", { timeout: 300_000 }, async () => {
    const ids = Array.from({ length: 20 }, (_, index) => index + 1);
    for (const id of ids) await running(id);
    const pids = await host.qemuPids();
    await agent.close();
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    const startedAtMs = Date.now();
    agent = await host.agent();
    // Each is given a second in which to answer.
    expect(Date.now() - startedAtMs).toBeLessThan(pids.length * 1000);
    for (const pid of pids) process.kill(pid, "SIGCONT");
    for (const id of ids) await untilSeen(agent, id, ({ state }) => state === "running");
    const seen = await agent.observeAll();
    expect(seen.map(({ pid }) => pid).sort()).toEqual([...pids].sort());
  });

  test("sees what became of VMs meanwhile: one turned itself off, one was killed, one stands still", async () => {
    const [, killed, stopped] = [await running(1), await running(2), await running(3)];
    await restartAgent(async () => {
      const serial = machinePaths(host.settings, 1).serialQemu;
      await execa("socat", ["-", `unix-connect:${serial}`], { input: "o" });
      process.kill(killed, "SIGKILL");
      process.kill(stopped, "SIGSTOP");
      await until(async () => (await startTimeOf(killed)) === null);
    });
    await untilSeen(agent, 1, (seen) => seen.state === "stopped" && seen.stoppedBy === "guest");
    expect(await agent.observe(2)).toMatchObject({ state: "crashed", reason: expect.stringContaining("away") });
    expect(await agent.observe(3)).toMatchObject({ state: "unresponsive", pid: stopped });
    process.kill(stopped, "SIGCONT");
    await untilSeen(agent, 3, (seen) => seen.state === "running" && seen.pid === stopped);
  });

  test("after a restart of the host says so, and starts nothing", async () => {
    const pid = await running(1);
    await restartAgent(async () => {
      process.kill(pid, "SIGKILL");
      await until(async () => (await startTimeOf(pid)) === null);
      await rewriteState(1, (state) => ({ ...state, hostBootId: "another" }));
    });
    expect(await agent.observe(1)).toMatchObject({ state: "stopped", stoppedBy: "host-reboot", pid: null });
    expect(await agent.start(1)).toMatchObject({ state: "running", bootCount: 2 });
  });

  test("never harms a foreign process that a state file names", async () => {
    await running(1);
    await agent.stop(1);
    const stranger = spawn("sleep", ["60"]);
    const pid = stranger.pid ?? 0;
    const startTime = await startTimeOf(pid);
    await restartAgent(() =>
      rewriteState(1, (state) => ({ ...state, intent: "running", process: { pid, startTime } })),
    );
    expect(await agent.observe(1)).toMatchObject({ state: "crashed", pid: null });
    expect(await agent.stop(1)).toMatchObject({ state: "stopped", stoppedBy: "request", pid: null });
    await agent.remove(1);
    expect(await startTimeOf(pid)).toBe(startTime);
    stranger.kill();
  });

  test("goes on with a reboot that was asked for, to its deadline", async () => {
    await running(1);
    const stream = await agent.openSerial(1);
    stream.write("d");
    await until(async () => (await readFile(machinePaths(host.settings, 1).serialLog, "utf8")).endsWith("d"));
    await agent.reboot(1, 5, 20_000);
    await restartAgent();
    expect(await agent.reboot(1, 5, 20_000)).toMatchObject({ bootCount: 1, pendingAct: "reboot" });
    await untilSeen(agent, 1, (seen) => seen.bootCount === 2 && seen.pendingAct === null);
  });

  test("sweeps what a crash left half made, and no look-alike", async () => {
    const { machines, staging, machineSockets } = pathsOf(host.settings);
    await restartAgent(async () => {
      for (const path of [
        join(machines, ".making-7"),
        join(machines, ".removing-8"),
        join(machines, ".making-mine"),
        join(machines, "9"),
        join(staging, "seed-abcdef"),
        join(staging, "other"),
        join(machineSockets, "10"),
      ]) {
        await mkdir(path);
        await writeFile(join(path, "file"), "");
      }
    });
    expect((await readdir(machines)).sort()).toEqual([".making-mine", "9"]);
    expect(await readdir(staging)).toEqual(["other"]);
    expect(await readdir(machineSockets)).toEqual([]);
    await expect(agent.ensure(await host.spec(9))).rejects.toMatchObject({ code: "conflict" });
  });

  test("with a run folder that is read-only harms no VM", async () => {
    const pid = await running(1);
    const { runDir } = host.settings;
    await agent.close();
    await execa("mount", ["--bind", runDir, runDir]);
    try {
      await execa("mount", ["-o", "remount,bind,ro", runDir]);
      agent = await host.agent();
      const isTakenUp = () => untilSeen(agent, 1, (seen) => seen.state === "running" && seen.pid === pid);
      await isTakenUp();
      await agent.ensure(await host.spec(2));
      await expect(agent.start(2)).rejects.toThrow(/run folder .* can't be written/);
      await isTakenUp();
    } finally {
      await execa("umount", ["--lazy", runDir]);
    }
  });
});

describe("an agent killed on its way", () => {
  /** Whether the VM exists when the next agent has looked. */
  const outcomes: Record<(typeof agentFailpoints)[number], "absent" | "stopped" | "running"> = {
    "agent.ensure.folder-made": "absent",
    "agent.ensure.disk-made": "absent",
    "agent.ensure.seed-made": "absent",
    "agent.start.before-spawn": "stopped",
    "agent.start.spawned": "running",
    "agent.start.running": "running",
    "agent.stop.intent-written": "stopped",
    "agent.stop.quit-sent": "stopped",
    "agent.stop.gone": "stopped",
    "agent.remove.stopped": "stopped",
    "agent.remove.half-removed": "absent",
  };

  test.each(agentFailpoints)("at %s leaves what the next one can go on with", async (name) => {
    const bystander = await running(1);
    await agent.close();
    const spec = await host.spec(2);
    await runCrashingAgent(name, spec);
    agent = await host.agent();
    await untilSeen(agent, 1, (seen) => seen.state === "running" && seen.pid === bystander);
    await untilSeen(agent, 2, (seen) => seen.state === outcomes[name]);

    await agent.ensure(spec);
    await agent.start(2);
    await untilEchoes(2);
    expect(await host.qemuPids()).toHaveLength(2);
    await agent.remove(2);
    await agent.remove(1);
    const { machines, machineSockets, staging } = pathsOf(host.settings);
    for (const folder of [machines, machineSockets, staging]) expect(await readdir(folder)).toEqual([]);
    expect(await host.qemuPids()).toEqual([]);
  });

  async function runCrashingAgent(failpoint: Failpoint, spec: object): Promise<void> {
    const armed = join(host.settings.dataDir, "failpoint");
    const script = join(projectDir, "lib", "hypervisor", "testing", "crashingAgent.ts");
    const result = await execa(
      process.execPath,
      ["--import", "tsx", script, JSON.stringify({ settings: host.settings, spec, failpoint })],
      { cwd: projectDir, env: { CUMULUS_FAILPOINT_FILE: armed }, reject: false, timeout: 60_000 },
    );
    expect(result.signal, result.stderr).toBe("SIGKILL");
  }
});

describe("a full disk of the host", () => {
  test("pauses the guest that writes, and it goes on by itself when there is space", async () => {
    await agent.close();
    const { dataDir } = host.settings;
    const files = join(dataDir, "vms");
    await execa("mount", ["-t", "tmpfs", "-o", "size=24m,mode=0711", "tmpfs", files]);
    try {
      agent = await host.agent();
      await running(1);
      const ballast = join(files, "ballast");
      await execa("dd", ["if=/dev/zero", `of=${ballast}`, "bs=1M", "count=14"]);
      (await agent.openSerial(1)).write("w");
      const paused = await untilSeen(agent, 1, (seen) => seen.state === "paused");
      expect(paused.reason).toContain("full");
      const written = (await stat(machinePaths(host.settings, 1).disk)).blocks;
      await execa("rm", [ballast]);
      await untilSeen(agent, 1, (seen) => seen.state === "running");
      await until(async () => (await stat(machinePaths(host.settings, 1).disk)).blocks > written);
      await agent.remove(1);
    } finally {
      await execa("umount", ["--lazy", files]);
    }
  });
});
