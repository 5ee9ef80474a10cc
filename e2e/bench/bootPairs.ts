import type { Stack } from "../stack";
import { HandRun } from "./handRun";
import { awaitSshBanner } from "./sshBanner";
import { createVm, destroyVm } from "./vms";

export interface BootPairs {
  /** What is asked for on top of a name. */
  vm?: object;
  pairs: number;
  /** When a guest's SSH server greets, on `performance.now()`'s clock. @param vmId null: of one that runs by hand */
  untilBanner?: (port: number, vmId: number | null) => Promise<number>;
  note(text: string): void;
}

/** Seconds to the SSH banner of new VMs: from the request to Cumulus, and from the start of the same QEMU by hand, by turns. */
export async function measureBootPairs(
  stack: Stack,
  { vm = {}, pairs, untilBanner = (port) => awaitSshBanner(port), note }: BootPairs,
): Promise<{ ofCumulus: number[]; byHand: number[] }> {
  const first = await createVm(stack, "first", vm);
  await untilBanner(first.ssh.port, first.id);
  const hand = await HandRun.like(stack, first.id);
  try {
    await destroyVm(stack, first.id);
    const ofCumulus: number[] = [];
    const byHand: number[] = [];
    for (let pair = 1; pair <= pairs; pair++) {
      const runs = [
        async () => ofCumulus.push(await createSeconds(stack, `ssh-${pair}`, vm, untilBanner)),
        async () => byHand.push(await handSeconds(hand, untilBanner)),
      ];
      // Whoever is first in a pair is so by turns.
      for (const run of pair % 2 === 0 ? runs : runs.reverse()) await run();
      note(`pair ${pair} of ${pairs}: ${ofCumulus.at(-1)?.toFixed(2)} s, by hand ${byHand.at(-1)?.toFixed(2)} s`);
    }
    return { ofCumulus, byHand };
  } finally {
    await hand.remove();
  }
}

type UntilBanner = NonNullable<BootPairs["untilBanner"]>;

async function createSeconds(stack: Stack, name: string, changes: object, until: UntilBanner): Promise<number> {
  const startMs = performance.now();
  const vm = await createVm(stack, name, changes);
  const bannerMs = await until(vm.ssh.port, vm.id);
  await destroyVm(stack, vm.id);
  return (bannerMs - startMs) / 1000;
}

/** Overlay and seed are there already: only QEMU and the guest count. */
async function handSeconds(hand: HandRun, until: UntilBanner): Promise<number> {
  await hand.make();
  const startMs = performance.now();
  await hand.start();
  const bannerMs = await until(hand.sshPort, null);
  await hand.end();
  return (bannerMs - startMs) / 1000;
}
