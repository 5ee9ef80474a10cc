import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { Stack } from "../stack";
import type { Benchmark, Figure } from "./benchmark";
import { processorSeconds, residentBytes } from "./processUsage";
import { sampleOf } from "./stats";
import { createReadyVm, qemuPidOf } from "./vms";
import { withStack } from "./withStack";

const vmCount = 5;
const settleMs = 15_000;
const watchMs = 30_000;
const bytesPerMib = 1024 ** 2;

export const idle: Benchmark = {
  name: "idle",
  what: `memory and processor time of console and agent with ${vmCount} VMs and nobody looking`,
  measure: (note) =>
    withStack("qemu", async (stack) => {
      const qemus: number[] = [];
      for (let count = 1; count <= vmCount; count++) {
        const vm = await createReadyVm(stack, `idle-${count}`);
        qemus.push(await qemuPidOf(stack, vm.id));
      }
      await stack.api("GET", "/api/vms");
      note(`${vmCount} VMs are ready; watches for ${watchMs / 1000} s`);
      await delay(settleMs);
      const bare = await startIdleNode();
      try {
        const ours = [await partPid(stack, "console"), await partPid(stack, "agent")] as const;
        const [before, qemusBefore] = [await secondsOf(ours), await secondsOf(qemus)];
        await delay(watchMs);
        const percentSince = async (pids: readonly number[], start: number) =>
          (((await secondsOf(pids)) - start) / (watchMs / 1000)) * 100;
        const memory = async (name: string, pid: number, atMost: number): Promise<Figure> => ({
          name,
          unit: "MiB",
          value: sampleOf([(await residentBytes(pid)) / bytesPerMib]),
          baseline: { what: "bare Node.js", value: sampleOf([(await residentBytes(bare.pid ?? 0)) / bytesPerMib]) },
          target: { of: "value", atMost },
        });
        const [consolePid, agentPid] = ours;
        return [
          await memory("Console, resident", consolePid, 250),
          await memory("Agent, resident", agentPid, 120),
          {
            name: `Both, of one core, idle with ${vmCount} VMs`,
            unit: "%",
            value: sampleOf([await percentSince(ours, before)]),
            baseline: { what: `the ${vmCount} QEMUs`, value: sampleOf([await percentSince(qemus, qemusBefore)]) },
            target: { of: "value", atMost: 2 },
          },
        ];
      } finally {
        bare.kill("SIGKILL");
      }
    }),
};

async function partPid(stack: Stack, part: "console" | "agent"): Promise<number> {
  const pid = await stack.pidOf(part);
  if (pid === undefined) throw new Error(`The ${part} has ended.`);
  return pid;
}

async function secondsOf(pids: readonly number[]): Promise<number> {
  const seconds = await Promise.all(pids.map(processorSeconds));
  return seconds.reduce((sum, value) => sum + value, 0);
}

/** The least that a process of Node.js takes. */
async function startIdleNode(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 60_000)"], { stdio: "ignore" });
  await once(child, "spawn");
  return child;
}
