import type { Stack } from "../stack";
import type { Benchmark } from "./benchmark";
import { HandRun } from "./handRun";
import { awaitSshBanner } from "./sshBanner";
import { sampleOf } from "./stats";
import { createReadyVm, createVm, destroyVm } from "./vms";
import { withStack } from "./withStack";

const pairs = 7;

export const createToSsh: Benchmark = {
  name: "create-to-ssh",
  what: "seconds from POST /api/vms to the SSH banner, against the same QEMU command line by hand",
  measure: (note) =>
    withStack("qemu", async (stack) => {
      const first = await createReadyVm(stack, "first");
      const hand = await HandRun.like(stack, first.id);
      try {
        await destroyVm(stack, first.id);
        const ofCumulus: number[] = [];
        const byHand: number[] = [];
        for (let pair = 1; pair <= pairs; pair++) {
          const runs = [
            async () => ofCumulus.push(await createSeconds(stack, `ssh-${pair}`)),
            async () => byHand.push(await handSeconds(hand)),
          ];
          // Whoever is first in a pair is so by turns.
          for (const run of pair % 2 === 0 ? runs : runs.reverse()) await run();
          note(`pair ${pair} of ${pairs}: ${ofCumulus.at(-1)?.toFixed(2)} s, by hand ${byHand.at(-1)?.toFixed(2)} s`);
        }
        return [
          {
            name: "Create → SSH banner",
            unit: "s",
            value: sampleOf(ofCumulus),
            baseline: { what: "same QEMU by hand", value: sampleOf(byHand) },
            target: { of: "ratio", atMost: 1.1 },
          },
        ];
      } finally {
        await hand.remove();
      }
    }),
};

async function createSeconds(stack: Stack, name: string): Promise<number> {
  const startMs = performance.now();
  const vm = await createVm(stack, name);
  const bannerMs = await awaitSshBanner(vm.ssh.port);
  await destroyVm(stack, vm.id);
  return (bannerMs - startMs) / 1000;
}

/** Overlay and seed are there already: only QEMU and the guest count. */
async function handSeconds(hand: HandRun): Promise<number> {
  await hand.make();
  const startMs = performance.now();
  await hand.start();
  const bannerMs = await awaitSshBanner(hand.sshPort);
  await hand.end();
  return (bannerMs - startMs) / 1000;
}
