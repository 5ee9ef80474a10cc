import { setTimeout as delay } from "node:timers/promises";
import type { Vm } from "../../lib/domain/vm";
import type { Stack } from "../stack";
import type { Benchmark } from "./benchmark";
import { HandRun } from "./handRun";
import { startedAtSeconds, uptimeSeconds } from "./processUsage";
import { sampleOf } from "./stats";
import { createReadyVm, createVm, destroyVm, qemuPidOf } from "./vms";
import { withStack } from "./withStack";

const rounds = 10;

export const createToStart: Benchmark = {
  name: "create-to-start",
  what: "seconds from the answer of POST /api/vms to the VM's QEMU process",
  measure: (note) =>
    withStack("qemu", async (stack) => {
      const first = await createReadyVm(stack, "first");
      const hand = await HandRun.like(stack, first.id);
      try {
        await destroyVm(stack, first.id);
        const process: number[] = [];
        const guest: number[] = [];
        const byHand: number[] = [];
        for (let round = 1; round <= rounds; round++) {
          note(`${round} of ${rounds}`);
          const times = await acceptedToStart(stack, `start-${round}`);
          process.push(times.processSeconds);
          guest.push(times.guestSeconds);
          const startMs = performance.now();
          await hand.make();
          await hand.start();
          byHand.push((performance.now() - startMs) / 1000);
          await hand.end();
        }
        const baseline = { what: "overlay, seed and QEMU by hand", value: sampleOf(byHand) };
        return [
          {
            name: "API accepted → QEMU process",
            unit: "s",
            value: sampleOf(process),
            baseline,
            target: { of: "value", atMost: 0.3 },
          },
          { name: "API accepted → guest runs", unit: "s", value: sampleOf(guest) },
        ];
      } finally {
        await hand.remove();
      }
    }),
};

async function acceptedToStart(stack: Stack, name: string): Promise<{ processSeconds: number; guestSeconds: number }> {
  const vm = await createVm(stack, name);
  const acceptedAt = { uptimeSeconds: await uptimeSeconds(), ms: Date.now() };
  const processStartedAt = await startedAtSeconds(await qemuPidOf(stack, vm.id));
  const guestStartedMs = await startedMilestoneMs(stack, vm.id);
  await destroyVm(stack, vm.id);
  return {
    processSeconds: Math.max(0, processStartedAt - acceptedAt.uptimeSeconds),
    guestSeconds: Math.max(0, (guestStartedMs - acceptedAt.ms) / 1000),
  };
}

async function startedMilestoneMs(stack: Stack, id: number): Promise<number> {
  for (;;) {
    const { body: vm } = await stack.api<Vm>("GET", `/api/vms/${id}`);
    const at = vm.timeline.find(({ step }) => step === "started")?.at;
    if (at) return Date.parse(at);
    await delay(50);
  }
}
