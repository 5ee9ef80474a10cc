import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { pathsOf, readSettings, type Settings } from "../../env";
import { ActQueue } from "../actQueue";
import type { HostContext } from "../context";
import { firstDisk, readDiskRecord, writeDiskRecord } from "../diskRecord";
import type { Machine } from "../machine";
import { machinePaths } from "../machinePaths";
import { SnapshotStore } from "../snapshots/snapshotStore";
import { until } from "../testing/until";
import { LayerStore } from "./layerStore";
import { Reclaimer } from "./reclaimer";

const layerId = "00000000000000aa";

/** A QEMU that merges, and knows nothing else. */
class MergingQemu {
  job: "running" | "concluded" | null = null;
  hasBegun = false;
  hasReopened = false;
  answersTooLate = false;
  /** Awaited before a merge begins. */
  beforeBegin: Promise<void> = Promise.resolve();
  /** How often it is yet asked for its jobs until the cancelled one has concluded; null: none is cancelled. */
  private looksToCancel: number | null = null;

  constructor(
    private readonly openedAs: string,
    private readonly disk: string,
  ) {}

  async execute(command: string): Promise<unknown> {
    if (command === "query-block") return [{ qdev: "vd0", inserted: { "node-name": "disk" } }];
    if (command === "query-named-block-nodes") {
      const layer = { "node-name": `layer-${layerId}-file`, drv: "file", file: this.openedAs };
      return [layer, { "node-name": "disk-file", drv: "file", file: this.disk }];
    }
    if (command === "block-stream") {
      await this.beforeBegin;
      this.job = "running";
      this.looksToCancel = null;
      this.hasBegun = true;
      if (this.answersTooLate) throw new Error("QEMU didn't answer block-stream in time.");
    }
    if (command === "blockdev-reopen") this.hasReopened = true;
    if (command === "job-cancel") this.looksToCancel ??= 3;
    if (command === "job-dismiss") this.job = null;
    if (command !== "query-jobs") return {};
    if (this.job === null) return [];
    if (this.looksToCancel !== null && --this.looksToCancel === 0) this.job = "concluded";
    return [{ id: "cumulus-merge", status: this.job }];
  }
}

let settings: Settings;
let queue: ActQueue;
let asked: number;
let disk: string;
let machine: { runtime: { qemu: MergingQemu }; spec: { id: number } };
let reclaimer: Reclaimer;

/** VM 1, whose disk builds on a layer that no snapshot names. */
beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), "reclaimer-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  settings = readSettings({ NODE_ENV: "test", CUMULUS_DATA_DIR: folder, CUMULUS_RUN_DIR: join(folder, "run") });
  const layers = new LayerStore(settings, { userOf: () => null } as unknown as HostContext["users"]);
  const snapshots = new SnapshotStore(settings, layers);
  await layers.prepare();
  await snapshots.prepare();
  const own = { vmId: 1, virtualBytes: 1, snapshotBelow: null, level: 0, foldedBytes: 0 };
  await layers.write({ id: layerId, parent: null, imageSha256: null, openedAs: layers.file(layerId), ...own });
  writeFileSync(layers.file(layerId), "");
  const paths = machinePaths(settings, 1);
  mkdirSync(paths.folder, { recursive: true });
  await writeDiskRecord(paths, { ...firstDisk, parent: layerId });
  writeFileSync(join(paths.folder, firstDisk.disk), "");
  queue = new ActQueue();
  asked = 0;
  const enqueue: HostContext["enqueue"] = (id, act) => {
    asked += 1;
    return queue.run(id, act);
  };
  const silent = () => {};
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  disk = join(paths.folder, firstDisk.disk);
  machine = { runtime: { qemu: new MergingQemu(layers.file(layerId), disk) }, spec: { id: 1 } };
  const machines = new Map([[1, machine as unknown as Machine]]);
  reclaimer = new Reclaimer({ settings, log, layers, snapshots, enqueue } as unknown as HostContext, machines);
  onTestFinished(() => reclaimer.close());
});

test("an act that waits for the turn in which a merge begins finds QEMU without it", async () => {
  const { qemu } = machine.runtime;
  let begin = () => {};
  qemu.beforeBegin = new Promise((resolve) => {
    begin = resolve;
  });
  reclaimer.wake();
  await until(() => asked === 1);
  const jobSeen = queue.run(1, () => reclaimer.without(1, async () => qemu.job));
  begin();
  expect(await jobSeen).toBeNull();
  expect(qemu.hasBegun).toBe(true);
});

test("an act finds QEMU without a merge that it began too late to answer", async () => {
  const { qemu } = machine.runtime;
  qemu.answersTooLate = true;
  reclaimer.wake();
  await reclaimer.idle();
  expect(qemu.job).toBe("running");
  expect(await queue.run(1, () => reclaimer.without(1, async () => qemu.job))).toBeNull();
});

test("a VM that is stopped and started before the turn of a merge is watched as it runs now", async () => {
  const paths = machinePaths(settings, 1);
  const before = machine.runtime.qemu;
  const after = new MergingQemu(join(pathsOf(settings).layers, `${layerId}.qcow2`), disk);
  let goOn = () => {};
  const mayGoOn = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const restarted = queue.run(1, async () => {
    await mayGoOn;
    machine.runtime.qemu = after;
  });
  reclaimer.wake();
  await until(() => asked === 1);
  goOn();
  await restarted;
  await until(() => after.hasBegun);
  after.job = "concluded";
  await until(async () => (await readDiskRecord(paths)).parent === null);
  expect([before.hasBegun, after.job]).toEqual([false, null]);
});

test("a merge is not put into effect on a disk that a snapshot, not finished yet, has put an overlay on", async () => {
  const paths = machinePaths(settings, 1);
  const { qemu } = machine.runtime;
  let goOn = () => {};
  const mayGoOn = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  reclaimer.wake();
  await until(() => qemu.hasBegun);
  const cut = queue.run(1, async () => {
    await mayGoOn;
    await writeDiskRecord(paths, {
      ...(await readDiskRecord(paths)),
      cut: { layerId: "00000000000000bb", disk: "disk-00000000000000bb.qcow2" },
    });
  });
  qemu.job = "concluded";
  await until(() => asked === 2);
  goOn();
  await cut;
  await reclaimer.idle();
  expect((await readDiskRecord(paths)).parent).toBe(layerId);
  expect(qemu.hasReopened).toBe(false);
});

test("a snapshot whose record can't be read keeps the layers that it may need", async () => {
  const { snapshots, layers } = pathsOf(settings);
  mkdirSync(join(snapshots, "7"));
  writeFileSync(join(snapshots, "7", "snapshot.json"), "{");
  await writeDiskRecord(machinePaths(settings, 1), firstDisk);
  reclaimer.wake();
  await reclaimer.idle();
  expect(readdirSync(layers)).toContain(`${layerId}.qcow2`);

  rmSync(join(snapshots, "7"), { recursive: true });
  reclaimer.wake();
  await reclaimer.idle();
  expect(readdirSync(layers)).toEqual([]);
});
