import { randomBytes } from "node:crypto";
import { copyFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { MachineSpec } from "../../lib/domain/machine";
import { GIB, MIB } from "../../lib/domain/units";
import { pathsOf } from "../../lib/env";
import { createOverlay } from "../../lib/hypervisor/disk";
import { until } from "../../lib/hypervisor/testing/until";
import type { Benchmark, Figure } from "./benchmark";
import { type InternalSnapshot, internalSnapshot } from "./internalSnapshot";
import { SnapshotHost } from "./snapshotHost";
import { sampleOf, timedMs } from "./stats";

const rounds = 5;
const sizes = [
  { label: "256 MiB", memoryBytes: 256 * MIB, usedMiB: 96 },
  { label: "1 GiB", memoryBytes: GIB, usedMiB: 400 },
  { label: "4 GiB", memoryBytes: 4 * GIB, usedMiB: 1600 },
] as const;
const target = { of: "value", atMost: 100 } as const;
/** As large as a distribution's image is. */
const copiedBytes = 256 * MIB;

export const snapshotPause: Benchmark = {
  name: "snapshot-pause",
  what: "how long a guest stands still for a snapshot, by QEMU's own events, against savevm, and while it writes; restore time, against loadvm; an overlay against a copy",
  measure: (note) =>
    SnapshotHost.with(async (bench) => {
      const figures: Figure[] = [await overlayAgainstCopy(bench)];
      for (const [index, size] of sizes.entries()) {
        note(`a guest with ${size.label}`);
        figures.push(...(await pausesOf(bench, index + 1, size)));
      }
      note("a guest that writes");
      figures.push(...(await pausesWhileWriting(bench, sizes.length + 1)));
      return figures;
    }),
};

async function overlayAgainstCopy({ host }: SnapshotHost): Promise<Figure> {
  const { staging } = pathsOf(host.settings);
  const raw = join(staging, "raw");
  const image = join(staging, "image.qcow2");
  const made = join(staging, "made.qcow2");
  await writeFile(raw, randomBytes(copiedBytes));
  await execa("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, image]);
  await rm(raw);
  const overlay: number[] = [];
  const copy: number[] = [];
  for (let round = 0; round < rounds; round++) {
    overlay.push(await timedMs(() => createOverlay(made, image, GIB, null)));
    await rm(made);
    copy.push(await timedMs(() => copyFile(image, made)));
    await rm(made);
  }
  await rm(image);
  const baseline = { what: "copy of 256 MiB", value: sampleOf(copy) };
  return { name: "Overlay on an image", unit: "ms", value: sampleOf(overlay), baseline };
}

async function pausesOf(bench: SnapshotHost, id: number, size: (typeof sizes)[number]): Promise<Figure[]> {
  const spec = await bench.start(id, size.memoryBytes);
  await bench.guests.run(spec, `dd if=/dev/urandom of=/dev/shm/used bs=1M count=${size.usedMiB} 2>/dev/null`);
  const disk: number[] = [];
  const memory: number[] = [];
  const restore: number[] = [];
  const internal: InternalSnapshot[] = [];
  for (let round = 0; round < rounds; round++) {
    disk.push((await bench.take(id, false)).pauseMs);
    const kept = await bench.take(id, true);
    memory.push(kept.pauseMs);
    internal.push(await internalSnapshot(bench, id));
    restore.push((await timedMs(() => bench.restore(id, kept.id))) / 1000);
    for (const { id: snapshotId } of await bench.hypervisor.listSnapshots()) {
      await bench.hypervisor.removeSnapshot(snapshotId);
    }
  }
  await bench.hypervisor.remove(id);
  const savevm = { what: "savevm", value: sampleOf(internal.map(({ pauseMs }) => pauseMs)) };
  const loadvm = { what: "loadvm", value: sampleOf(internal.map(({ loadMs }) => loadMs / 1000)) };
  return [
    { name: `Pause, disk, ${size.label}`, unit: "ms", value: sampleOf(disk), baseline: savevm, target },
    { name: `Pause, memory, ${size.label}`, unit: "ms", value: sampleOf(memory), baseline: savevm, target },
    { name: `Restore with memory, ${size.label}`, unit: "s", value: sampleOf(restore), baseline: loadvm },
  ];
}

/** Of a guest that writes to its disk all the time, past its own cache: QEMU has writes under way that it must end first. */
async function pausesWhileWriting(bench: SnapshotHost, id: number): Promise<Figure[]> {
  const [size] = sizes;
  const spec = await bench.start(id, size.memoryBytes);
  const write = "dd if=/dev/zero of=/root/file bs=1M count=64 oflag=direct conv=notrunc";
  await bench.guests.run(spec, `setsid sh -c 'while ${write}; do :; done' </dev/null >/dev/null 2>&1 &`);
  // Agents freeze file systems, which holds the writes back; a guest without one goes on with them.
  const ways = [
    { name: "disk", memory: false, freeze: true },
    { name: "disk, not frozen", memory: false, freeze: false },
    { name: "memory", memory: true, freeze: true },
  ];
  const figures: Figure[] = [];
  for (const { name, memory, freeze } of ways) {
    const pauses: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await untilWrites(bench, spec);
      const { id: snapshotId, pauseMs } = await bench.take(id, memory, freeze);
      pauses.push(pauseMs);
      await bench.hypervisor.removeSnapshot(snapshotId);
    }
    figures.push({ name: `Pause, ${name}, while the guest writes`, unit: "ms", value: sampleOf(pauses), target });
  }
  await bench.hypervisor.remove(id);
  return figures;
}

/** Until more is on the guest's disk than was, by the guest's own count of sectors. */
async function untilWrites({ guests }: SnapshotHost, spec: MachineSpec): Promise<void> {
  const written = async () => Number(await guests.run(spec, "awk '$3 == \"vda\" { print $10 }' /proc/diskstats"));
  const before = await written();
  await until(async () => (await written()) > before, 60_000);
}
