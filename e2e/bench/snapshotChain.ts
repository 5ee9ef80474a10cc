import type { MachineSpec } from "../../lib/domain/machine";
import { MIB } from "../../lib/domain/units";
import type { Benchmark, Figure } from "./benchmark";
import { SnapshotHost } from "./snapshotHost";
import { sampleOf } from "./stats";

const fileMiB = 96;
const rounds = 7;
const lengths = [8, 32];

export const snapshotChain: Benchmark = {
  name: "snapshot-chain",
  what: "disk speed in a guest with many snapshots, against a guest with one, in the same run",
  measure: (note) =>
    SnapshotHost.with(async (bench) => {
      const specs = [await bench.start(1, 192 * MIB), await bench.start(2, 192 * MIB)] as const;
      for (const spec of specs) {
        await bench.guests.run(spec, `dd if=/dev/urandom of=/root/file bs=1M count=${fileMiB} 2>/dev/null; sync`);
        await bench.take(spec.id, false);
      }
      const figures: Figure[] = [];
      let taken = 1;
      for (const length of lengths) {
        for (; taken < length; taken++) {
          await bench.guests.run(specs[0], "dd if=/dev/urandom of=/root/more bs=64k count=4 2>/dev/null; sync");
          await bench.take(1, false);
        }
        note(`${length} snapshots`);
        figures.push(...(await against(bench, length, specs)));
      }
      return figures;
    }),
};

async function against(
  bench: SnapshotHost,
  length: number,
  [many, one]: readonly [MachineSpec, MachineSpec],
): Promise<Figure[]> {
  const speeds = { read: [[], []] as [number[], number[]], write: [[], []] as [number[], number[]] };
  for (let round = 0; round < rounds; round++) {
    // Whoever is first in a pair is so by turns.
    const pairs = [
      [many, 0],
      [one, 1],
    ] as const;
    for (const [spec, index] of round % 2 === 0 ? pairs : [...pairs].reverse()) {
      speeds.read[index].push(await speed(bench, spec, "if=/root/file of=/dev/null bs=1M"));
      speeds.write[index].push(
        await speed(bench, spec, `if=/dev/zero of=/root/written bs=1M count=${fileMiB} conv=fsync`),
      );
    }
  }
  return (["read", "write"] as const).map((kind) => ({
    name: `Disk ${kind} in a guest, ${length} snapshots`,
    unit: "MiB/s",
    value: sampleOf(speeds[kind][0]),
    baseline: { what: "one snapshot", value: sampleOf(speeds[kind][1]) },
    target: { of: "ratio", atLeast: 0.9 },
  }));
}

/** MiB a second, by the guest's own clock. */
async function speed({ guests }: SnapshotHost, spec: MachineSpec, options: string): Promise<number> {
  const drop = "sync; echo 3 > /proc/sys/vm/drop_caches; rm -f /root/written";
  const times = "read a b < /proc/uptime";
  const said = await guests.run(
    spec,
    `${drop}; ${times}; dd ${options} 2>/dev/null; read c d < /proc/uptime; echo $a $c`,
  );
  const [from = 0, to = 0] = said.trim().split(" ").map(Number);
  return fileMiB / Math.max(0.01, to - from);
}
