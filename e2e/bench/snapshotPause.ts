import { randomBytes, randomUUID } from "node:crypto";
import { copyFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GIB, MIB } from "../../lib/domain/units";
import { pathsOf } from "../../lib/env";
import { createOverlay } from "../../lib/hypervisor/disk";
import { machinePaths } from "../../lib/hypervisor/machinePaths";
import { QmpClient, type QmpEvent } from "../../lib/hypervisor/qmp/client";
import { until } from "../../lib/hypervisor/testing/until";
import { imageFile } from "../../lib/images/store";
import type { Benchmark, Figure } from "./benchmark";
import { SnapshotHost } from "./snapshotHost";
import { sampleOf } from "./stats";

const rounds = 5;
const sizes = [
  { label: "256 MiB", memoryBytes: 256 * MIB, usedMiB: 96 },
  { label: "1 GiB", memoryBytes: GIB, usedMiB: 400 },
];
const longestPauseMs = 100;
const copiedBytes = 256 * MIB;

export const snapshotPause: Benchmark = {
  name: "snapshot-pause",
  what: "how long a guest stands still for a snapshot, by QEMU's own events, against savevm; restore time, against loadvm; an overlay against a copy",
  measure: (note) =>
    SnapshotHost.with(async (bench) => {
      const figures: Figure[] = [await overlayAgainstCopy(bench)];
      for (const [index, size] of sizes.entries()) {
        note(`a guest with ${size.label}`);
        figures.push(...(await pausesOf(bench, index + 1, size)));
      }
      return figures;
    }),
};

async function overlayAgainstCopy({ host }: SnapshotHost): Promise<Figure> {
  const paths = pathsOf(host.settings);
  const image = imageFile(paths, host.imageSha256);
  const target = join(paths.staging, "bench.qcow2");
  // As large as a distribution's image is.
  const whole = join(paths.staging, "whole");
  await writeFile(whole, randomBytes(copiedBytes));
  const overlay: number[] = [];
  const copy: number[] = [];
  for (let round = 0; round < rounds; round++) {
    overlay.push(await timedMs(() => createOverlay(target, image, GIB, null)));
    await rm(target);
    copy.push(await timedMs(() => copyFile(whole, target)));
    await rm(target);
  }
  await rm(whole);
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
  const target = { of: "value", atMost: longestPauseMs } as const;
  const savevm = { what: "savevm", value: sampleOf(internal.map(({ pauseMs }) => pauseMs)) };
  const loadvm = { what: "loadvm", value: sampleOf(internal.map(({ loadMs }) => loadMs / 1000)) };
  return [
    { name: `Pause, disk, ${size.label}`, unit: "ms", value: sampleOf(disk), baseline: savevm, target },
    { name: `Pause, memory, ${size.label}`, unit: "ms", value: sampleOf(memory), baseline: savevm, target },
    { name: `Restore with memory, ${size.label}`, unit: "s", value: sampleOf(restore), baseline: loadvm },
  ];
}

/** How long the guest stands still while it is made, and how long it takes to go on from it. */
interface InternalSnapshot {
  pauseMs: number;
  loadMs: number;
}

/** QEMU's internal snapshot ("snapshot-save" and its kin, qapi/migration.json): made, gone back to, and deleted again. */
async function internalSnapshot({ host }: SnapshotHost, id: number): Promise<InternalSnapshot> {
  const events: QmpEvent[] = [];
  const { rescue, qmp: first } = machinePaths(host.settings, id);
  const handlers = { onEvent: (event: QmpEvent) => void events.push(event), onClose: () => {} };
  // The agent has one of the two.
  const connect = (socket: string) => QmpClient.connect(socket, handlers, 2_000);
  const qmp = await connect(rescue).catch(() => connect(first));
  try {
    const nodes = JSON.stringify(await qmp.execute("query-block"));
    const node = /"node-name":\s*"(disk[^"]*)"/.exec(nodes)?.[1] ?? "";
    const tag = randomUUID();
    const job = async (command: string, options: object) => {
      const jobId = randomUUID();
      await qmp.execute(command, { "job-id": `j${jobId}`, tag, devices: [node], ...options }, 60_000);
      const isOver = ({ name, data }: QmpEvent) =>
        name === "JOB_STATUS_CHANGE" && data.id === `j${jobId}` && data.status === "concluded";
      await until(() => events.some(isOver), 120_000);
      const jobs = JSON.stringify(await qmp.execute("query-jobs"));
      if (jobs.includes('"error"')) throw new Error(`${command}: ${jobs}`);
      await qmp.execute("job-dismiss", { id: `j${jobId}` });
    };
    await job("snapshot-save", { vmstate: node });
    const at = (name: string) => events.find((event) => event.name === name)?.atMs ?? Number.NaN;
    const pauseMs = at("RESUME") - at("STOP");
    const loadMs = await timedMs(async () => {
      await job("snapshot-load", { vmstate: node });
      await qmp.execute("cont");
    });
    await job("snapshot-delete", {});
    return { pauseMs, loadMs };
  } finally {
    qmp.close();
  }
}

async function timedMs(act: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await act();
  return performance.now() - startMs;
}
