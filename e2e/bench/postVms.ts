import type { Stack } from "../stack";
import type { Benchmark } from "./benchmark";
import { sampleOf } from "./stats";
import { createVm } from "./vms";
import { withStack } from "./withStack";

const warmUps = 10;
const rounds = 150;

export const postVms: Benchmark = {
  name: "post-vms",
  what: "milliseconds of POST /api/vms, until the intent is durable",
  measure: (note) =>
    withStack("fake", async (stack) => {
      for (let count = 0; count < warmUps; count++) await measureRound(stack, `warm-${count}`);
      note(`${rounds} creates`);
      const create: number[] = [];
      const empty: number[] = [];
      for (let count = 0; count < rounds; count++) {
        const times = await measureRound(stack, `vm-${count}`);
        create.push(times.createMs);
        empty.push(times.emptyMs);
      }
      return [
        {
          name: "POST /api/vms",
          unit: "ms",
          value: sampleOf(create),
          baseline: { what: "GET /api/sizes", value: sampleOf(empty) },
          target: { of: "value", atMost: 30 },
        },
      ];
    }),
};

/** A create, and as its baseline the cheapest request: the same server and credentials, no query. */
async function measureRound(stack: Stack, name: string): Promise<{ createMs: number; emptyMs: number }> {
  const createMs = await millisecondsOf(() => createVm(stack, name));
  const emptyMs = await millisecondsOf(() => stack.api("GET", "/api/sizes"));
  return { createMs, emptyMs };
}

async function millisecondsOf(run: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await run();
  return performance.now() - startMs;
}
