import { setTimeout as delay } from "node:timers/promises";
import type { Stack } from "../stack";
import type { Benchmark, Figure } from "./benchmark";
import { throughConsole, withVncPeer } from "./consoleLinks";
import type { Link } from "./link";
import { residentBytes } from "./processUsage";
import { sampleOf } from "./stats";
import { createReadyVm } from "./vms";
import { withStack } from "./withStack";

const viewerCount = 10;
/** Until all that may be kept for a viewer has come. */
const fillMs = 5_000;
/** Below the time after which a viewer that takes nothing is cut. */
const watchMs = 20_000;
const bytesPerMib = 1024 ** 2;

export const consoleMemory: Benchmark = {
  name: "console-memory",
  what: `whether the memory of console and agent grows while ${viewerCount} browsers have stopped reading`,
  measure: (note) =>
    withStack("qemu", async (stack) => {
      const vm = await createReadyVm(stack, "flood");
      return withVncPeer(stack, vm.id, "flood", async () => {
        const links: Link[] = [];
        try {
          for (let viewer = 0; viewer < viewerCount; viewer++) {
            const link = await throughConsole(stack, vm.id)(() => undefined);
            link.pause();
            links.push(link);
          }
          await delay(fillMs);
          const before = { console: await memoryMib(stack, "console"), agent: await memoryMib(stack, "agent") };
          note(`watches for ${watchMs / 1000} s`);
          await delay(watchMs);
          const memory = async (name: string, part: "console" | "agent"): Promise<Figure> => ({
            name: `${name}, ${viewerCount} browsers stalled`,
            unit: "MiB",
            value: sampleOf([await memoryMib(stack, part)]),
            baseline: { what: `${watchMs / 1000} s before`, value: sampleOf([before[part]]) },
            target: { of: "ratio", atMost: 1.05 },
          });
          return [await memory("Console, resident", "console"), await memory("Agent, resident", "agent")];
        } finally {
          for (const link of links) link.close();
        }
      });
    }),
};

async function memoryMib(stack: Stack, part: "console" | "agent"): Promise<number> {
  return (await residentBytes((await stack.pidOf(part)) ?? 0)) / bytesPerMib;
}
