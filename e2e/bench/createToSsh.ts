import type { Benchmark } from "./benchmark";
import { measureBootPairs } from "./bootPairs";
import { sampleOf } from "./stats";
import { withStack } from "./withStack";

export const createToSsh: Benchmark = {
  name: "create-to-ssh",
  what: "seconds from POST /api/vms to the SSH banner, against the same QEMU command line by hand",
  measure: (note) =>
    withStack("qemu", async (stack) => {
      const { ofCumulus, byHand } = await measureBootPairs(stack, { pairs: 7, note });
      return [
        {
          name: "Create → SSH banner",
          unit: "s",
          value: sampleOf(ofCumulus),
          baseline: { what: "same QEMU by hand", value: sampleOf(byHand) },
          target: { of: "ratio", atMost: 1.1 },
        },
      ];
    }),
};
