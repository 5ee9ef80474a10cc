import type { Stack } from "../stack";
import type { Benchmark } from "./benchmark";
import { sampleOf } from "./stats";
import { createReadyVm, createVm, untilAllReady } from "./vms";
import { withStack } from "./withStack";

const warmUps = 10;
const rounds = 60;
const inARow = 100;

export const postVms: Benchmark = {
  name: "post-vms",
  what: "milliseconds of POST /api/vms, until the intent is durable",
  measure: (note) =>
    withStack("fake", async (stack) => {
      for (let count = 1; count <= warmUps; count++) await createReadyVm(stack, `warm-${count}`);
      note(`${rounds} creates, each when the VM before is ready`);
      const alone: number[] = [];
      const empty: number[] = [];
      for (let count = 1; count <= rounds; count++) {
        alone.push(await createMilliseconds(stack, `vm-${count}`));
        // The cheapest request: the same server and credentials, no query.
        empty.push(await millisecondsOf(() => stack.api("GET", "/api/sizes")));
        await untilAllReady(stack, warmUps + count);
      }
      note(`${inARow} creates in a row, while those before start`);
      const busy: number[] = [];
      for (let count = 1; count <= inARow; count++) busy.push(await createMilliseconds(stack, `busy-${count}`));
      const common = { unit: "ms", baseline: { what: "GET /api/sizes", value: sampleOf(empty) } } as const;
      return [
        { ...common, name: "POST /api/vms", value: sampleOf(alone), target: { of: "value", atMost: 30 } },
        { ...common, name: `POST /api/vms, ${inARow} in a row`, value: sampleOf(busy) },
      ];
    }),
};

function createMilliseconds(stack: Stack, name: string): Promise<number> {
  return millisecondsOf(() => createVm(stack, name));
}

async function millisecondsOf(run: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await run();
  return performance.now() - startMs;
}
