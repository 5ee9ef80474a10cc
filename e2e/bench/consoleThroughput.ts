import type { Stack } from "../stack";
import type { Benchmark, Figure, Skipped, Target } from "./benchmark";
import { direct, type OpenLink, startWebsockify, throughConsole, websockifyMissing, withVncPeer } from "./consoleLinks";
import { RfbScreen } from "./rfbScreen";
import { type Sample, sampleOf } from "./stats";
import { createReadyVm, pauseVm } from "./vms";
import { withStack } from "./withStack";

const rounds = 5;
const roundMs = 2_000;
const bytesPerMib = 1024 ** 2;

/** A guest whose screen scrolls without end: QEMU has something new to send whenever it is asked. */
const scrolling = { userData: "#cloud-config\nruncmd:\n  - (while :; do cat /proc/interrupts; done) > /dev/tty1 &\n" };

type Measure = (open: OpenLink) => Promise<number>;

export const consoleThroughput: Benchmark = {
  name: "console-throughput",
  what: "MiB/s of a VM's screen through the console, against its unix socket and against websockify",
  measure: (note) =>
    withStack("qemu", async (stack) => {
      const vm = await createReadyVm(stack, "screen", scrolling);
      note("pulls a real QEMU's screen");
      const ofQemu = await compare(stack, vm.id, pullScreen);
      note("pulls from a socket that always has more");
      await pauseVm(stack, vm.id);
      const ofFlood = await withVncPeer(stack, vm.id, "flood", () => compare(stack, vm.id, drain));
      // What QEMU sends is bounded by its own refresh timer: against websockify only endless bytes are a contest.
      return [
        ...figuresOf("VNC of a real QEMU", ofQemu, { direct: { of: "ratio", atLeast: 0.8 } }),
        ...figuresOf("VNC, endless bytes", ofFlood, { websockify: { of: "ratio", above: 1 } }),
      ];
    }),
};

interface Comparison {
  console: Sample;
  direct: Sample;
  websockify: Sample | undefined;
}

/** Measures the three ways in turn, so that what else the machine does hits all alike. */
async function compare(stack: Stack, vmId: number, measure: Measure): Promise<Comparison> {
  const websockify = await startWebsockify(stack, vmId);
  const ways = {
    console: throughConsole(stack, vmId),
    direct: direct(stack, vmId),
    ...(websockify && { websockify: websockify.open }),
  };
  const measured: Record<string, number[]> = { console: [], direct: [], websockify: [] };
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [way, open] of Object.entries(ways)) measured[way]?.push(await measure(open));
    }
  } finally {
    websockify?.close();
  }
  const { console: ofConsole = [], direct: ofDirect = [], websockify: ofWebsockify = [] } = measured;
  return {
    console: sampleOf(ofConsole),
    direct: sampleOf(ofDirect),
    websockify: websockify && sampleOf(ofWebsockify),
  };
}

function figuresOf(
  name: string,
  measured: Comparison,
  targets: Partial<Record<"direct" | "websockify", Target>>,
): (Figure | Skipped)[] {
  return (["direct", "websockify"] as const).map((what) => {
    const value = measured[what];
    if (!value) return { name: `${name}, against ${what}`, skipped: websockifyMissing };
    const target = targets[what];
    return { name, unit: "MiB/s", value: measured.console, baseline: { what, value }, ...(target && { target }) };
  });
}

/** MiB/s of pictures, each asked for when the one before has come. */
const pullScreen: Measure = async (open) => {
  const screen = await RfbScreen.open(open);
  const startMs = performance.now();
  let bytes = 0;
  while (performance.now() - startMs < roundMs) bytes += await screen.pull();
  screen.close();
  return mibPerSecond(bytes, startMs);
};

/** MiB/s of whatever comes. */
const drain: Measure = async (open) => {
  let bytes = 0;
  const link = await open((chunk) => {
    bytes += chunk.length;
  });
  const startMs = performance.now();
  bytes = 0;
  await new Promise((resolve) => setTimeout(resolve, roundMs));
  const rate = mibPerSecond(bytes, startMs);
  link.close();
  return rate;
};

function mibPerSecond(bytes: number, sinceMs: number): number {
  return bytes / bytesPerMib / ((performance.now() - sinceMs) / 1000);
}
