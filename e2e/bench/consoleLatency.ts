import { EventEmitter, once } from "node:events";
import type { Benchmark } from "./benchmark";
import { direct, type OpenLink, throughConsole, withVncPeer } from "./consoleLinks";
import { sampleOf } from "./stats";
import { createReadyVm } from "./vms";
import { withStack } from "./withStack";

const rounds = 10;
const tripsPerRound = 100;
/** As long as a pointer event (RFC 6143, section 7.5.5). */
const messageBytes = 6;

export const consoleLatency: Benchmark = {
  name: "console-latency",
  what: "milliseconds that the console adds to a round trip between browser and VM",
  measure: (note) =>
    withStack("qemu", async (stack) => {
      const vm = await createReadyVm(stack, "echo");
      note(`${rounds} × ${tripsPerRound} round trips each way`);
      const through: number[] = [];
      const straight: number[] = [];
      await withVncPeer(stack, vm.id, "echo", async () => {
        for (let round = 0; round < rounds; round++) {
          through.push(...(await roundTrips(throughConsole(stack, vm.id))));
          straight.push(...(await roundTrips(direct(stack, vm.id))));
        }
      });
      const ofDirect = sampleOf(straight);
      const added = sampleOf(through.map((tripMs) => tripMs - ofDirect.median));
      return [
        {
          name: "Round trip added by the console",
          unit: "ms",
          value: added,
          baseline: { what: "direct", value: ofDirect },
          target: { of: "value", atMost: 2 },
        },
      ];
    }),
};

/** Times, in milliseconds, from sending a message to having it back. */
async function roundTrips(open: OpenLink): Promise<number[]> {
  const arrivals = new EventEmitter<{ whole: [] }>();
  let arrivedBytes = 0;
  const link = await open((chunk) => {
    arrivedBytes += chunk.length;
    if (arrivedBytes % messageBytes === 0) arrivals.emit("whole");
  });
  const message = Buffer.alloc(messageBytes, 5);
  const timesMs: number[] = [];
  for (let trip = 0; trip < tripsPerRound; trip++) {
    const sentMs = performance.now();
    const back = once(arrivals, "whole");
    link.send(message);
    await back;
    timesMs.push(performance.now() - sentMs);
  }
  link.close();
  return timesMs;
}
