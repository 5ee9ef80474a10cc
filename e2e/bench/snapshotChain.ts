import { readdirSync } from "node:fs";
import { execa } from "execa";
import type { MachineSpec } from "../../lib/domain/machine";
import { MIB } from "../../lib/domain/units";
import { pathsOf } from "../../lib/env";
import { diskFile } from "../../lib/hypervisor/diskRecord";
import { machinePaths } from "../../lib/hypervisor/machinePaths";
import { until } from "../../lib/hypervisor/testing/until";
import type { Benchmark, Figure } from "./benchmark";
import { SnapshotHost } from "./snapshotHost";
import { sampleOf } from "./stats";

const rounds = 15;
/** With 31 snapshots the chain is at its longest before it is folded: three of eight and seven, with 32 it is four. */
const lengths = [8, 31, 32];
/** What one measurement reads or writes. */
const partMiB = 32;
const smallMiB = 8;

/**
 * The ways in which a guest uses its disk, past its own cache (O_DIRECT). Each round takes a part of one file that nobody has written to since the last snapshot: it is first read
 * where it lies, at the bottom of the chain, then written to, which takes new space, and then written to again, where that space is. What is over soon is done several
 * times in a row.
 */
const uses = [
  {
    name: "reads of 1 MiB",
    times: 10,
    mib: partMiB,
    options: "if=/root/file of=/dev/null iflag=direct bs=1M",
    offset: "skip",
  },
  {
    name: "reads of 4 KiB",
    times: 1,
    mib: smallMiB,
    options: "if=/root/file of=/dev/null iflag=direct bs=4k",
    offset: "skip",
  },
  { name: "first writes of 1 MiB", times: 1, mib: partMiB, options: "of=/root/file", offset: "seek" },
  { name: "writes of 1 MiB again", times: 3, mib: partMiB, options: "of=/root/file", offset: "seek" },
] as const;
type Use = (typeof uses)[number];

export const snapshotChain: Benchmark = {
  name: "snapshot-chain",
  what: "disk speed in a guest with 8, 31 and 32 snapshots, against a guest with one, by turns in the same run",
  measure: (note) =>
    SnapshotHost.with(async (bench) => {
      const [many, one] = [await bench.start(1, 192 * MIB), await bench.start(2, 192 * MIB)];
      for (const spec of [many, one]) {
        await bench.guests.run(spec, `dd if=/dev/zero of=/root/file bs=1M count=${rounds * partMiB} conv=fsync`);
      }
      const figures: Figure[] = [];
      let taken = 0;
      for (const length of lengths) {
        note(`${length} snapshots`);
        for (; taken < length; taken++) {
          await bench.guests.run(many, "dd if=/dev/urandom of=/root/more bs=64k count=4 conv=fsync");
          await bench.take(many.id, false);
        }
        await takeOnly(bench, one);
        await untilFolded(bench, many.id, length);
        figures.push(...(await against(bench, length, [many, one])));
      }
      return figures;
    }),
};

/** Leaves a guest with one snapshot, of now. */
async function takeOnly(bench: SnapshotHost, spec: MachineSpec): Promise<void> {
  const { hypervisor } = bench;
  const before = (await hypervisor.listSnapshots()).filter(({ vmId }) => vmId === spec.id);
  await bench.take(spec.id, false);
  for (const { id } of before) await hypervisor.removeSnapshot(id);
  const { layers } = pathsOf(bench.host.settings);
  const layerCount = () => readdirSync(layers).filter((name) => /^\w+\.qcow2$/.test(name)).length;
  await until(async () => layerCount() === (await hypervisor.listSnapshots()).length, 120_000);
}

/** As long as the chain is with so many snapshots: eight layers are one, and eight of those one. */
async function untilFolded({ host }: SnapshotHost, vmId: number, snapshotCount: number): Promise<void> {
  const layerCount = [...snapshotCount.toString(8)].reduce((sum, digit) => sum + Number(digit), 0);
  const { layers } = pathsOf(host.settings);
  await until(async () => {
    const disk = await diskFile(machinePaths(host.settings, vmId));
    const { stdout } = await execa("qemu-img", ["info", "-U", "--backing-chain", "--output=json", disk]);
    const chain: { filename: string }[] = JSON.parse(stdout);
    return chain.filter(({ filename }) => filename.startsWith(layers)).length === layerCount;
  }, 60_000);
}

async function against(
  bench: SnapshotHost,
  length: number,
  guests: readonly [many: MachineSpec, one: MachineSpec],
): Promise<Figure[]> {
  const speeds = uses.map(() => [[], []] as [many: number[], one: number[]]);
  for (let round = 0; round < rounds; round++) {
    for (const [index, use] of uses.entries()) {
      // Whoever is first in a pair is so by turns.
      for (const who of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        speeds[index]?.[who].push(await speed(bench, guests[who], use, round));
      }
    }
  }
  return uses.map(({ name }, index) => ({
    name: `Disk with ${length} snapshots, ${name}`,
    unit: "MiB/s",
    value: sampleOf(speeds[index]?.[0] ?? []),
    baseline: { what: "one snapshot", value: sampleOf(speeds[index]?.[1] ?? []) },
    target: { of: "ratio", atLeast: 0.9 },
  }));
}

/** MiB a second, by the guest's own clock. */
async function speed({ guests }: SnapshotHost, spec: MachineSpec, use: Use, round: number): Promise<number> {
  const { mib, options, offset, times } = use;
  const blocksAMiB = options.includes("bs=4k") ? 256 : 1;
  const how = offset === "seek" ? "if=/dev/zero bs=1M oflag=direct conv=notrunc,fsync" : "";
  const part = `${offset}=${round * partMiB * blocksAMiB} count=${mib * blocksAMiB}`;
  const act = `for ((i = 0; i < ${times}; i++)); do dd ${options} ${how} ${part} 2>/dev/null || exit 1; done`;
  const said = await guests.run(spec, `bash -c 'from=$EPOCHREALTIME; ${act}; echo $from $EPOCHREALTIME'`);
  const [from = 0, to = 0] = said.trim().split(" ").map(Number);
  return (times * mib) / (to - from);
}
