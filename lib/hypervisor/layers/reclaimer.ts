import { statfs } from "node:fs/promises";
import { CumulusError, messageOf } from "../../domain/errors";
import { MIB } from "../../domain/units";
import { pathsOf } from "../../env";
import { failpoint } from "../../failpoints";
import { readQcow2Header } from "../../images/qcow2";
import type { HostContext } from "../context";
import { inFolder } from "../diskFiles";
import { type DiskRecord, diskName, readDiskRecord, replacedDisks, sweepDisks, writeDiskRecord } from "../diskRecord";
import { listMachineIds } from "../folders";
import type { Machine } from "../machine";
import { machinePaths } from "../machinePaths";
import { snapshotUnder } from "../snapshots/lineage";
import { allocatedBytes } from "../snapshots/snapshotStore";
import { type Layer, newLayerId } from "./layerStore";
import { beginLiveMerge, diskWithout, finishLiveMerge, switchLive } from "./liveMerge";
import { foldSteps, keyOf, type ReclaimStep, reclaimSteps } from "./plan";
import { cancelStream, streamEnded } from "./streamJob";
import { writeMerged } from "./writeMerged";

const spareBytes = 64 * MIB;
const retryMs = 10 * 60_000;

/**
 * Gives back the space of layers that no snapshot needs any more, and keeps chains short, in the background, one step at a time. What it does can end at
 * any moment: a layer's new file takes the old one's place whole, reads the same, and only then does its manifest say that it builds on what is further below.
 */
export class Reclaimer {
  private work: Promise<void> | null = null;
  private isAskedAgain = false;
  private isClosed = false;
  /** Whether layers were left as they are, since what is known of them can't be read. */
  private isKept = false;
  private timer: NodeJS.Timeout | undefined;
  private present: { vmId: number | null; abort: AbortController; writing: Promise<void> | null } | null = null;
  /** VMs whose disks are needed for something else. */
  private readonly busy = new Set<number>();
  /** VMs whose QEMUs didn't say that they began a merge, and may have. */
  private readonly unsure = new Set<number>();

  constructor(
    private readonly context: HostContext,
    private readonly machines: ReadonlyMap<number, Machine>,
  ) {}

  /** Something has changed: look for space to give back. */
  wake(): void {
    this.isAskedAgain = true;
    if (this.work !== null || this.isClosed) return;
    this.work = this.run().finally(() => {
      this.work = null;
      if (this.isAskedAgain) this.wake();
    });
  }

  /** Resolves when nothing is left that can be done now. */
  async idle(): Promise<void> {
    while (this.work !== null) await this.work;
  }

  /** Carries out an act on a VM while its disk is left alone. To be called within that VM's queue. */
  async without<T>(vmId: number, act: () => Promise<T>): Promise<T> {
    this.busy.add(vmId);
    try {
      await this.leave(vmId);
      return await act();
    } finally {
      this.busy.delete(vmId);
      this.wake();
    }
  }

  private async leave(vmId: number): Promise<void> {
    const present = this.present?.vmId === vmId ? this.present : null;
    if (present === null && !this.unsure.has(vmId)) return;
    present?.abort.abort();
    await present?.writing?.catch(() => undefined);
    // One that began in the turn before this one is not noted as `writing` yet.
    const qemu = this.machines.get(vmId)?.runtime.qemu ?? null;
    try {
      if (qemu !== null) await cancelStream(qemu);
      this.unsure.delete(vmId);
    } catch (error) {
      this.context.log.warn({ vm: vmId, error: messageOf(error) }, "whether a merge is under way can't be told yet");
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.isAskedAgain = false;
    clearTimeout(this.timer);
    this.present?.abort.abort();
    await this.work;
  }

  private async run(): Promise<void> {
    const failed = new Set<string>();
    while (!this.isClosed) {
      // What could not be done may be possible now.
      if (this.isAskedAgain) failed.clear();
      this.isAskedAgain = false;
      this.isKept = false;
      try {
        const step = await this.nextStep(failed);
        if (step === undefined || this.isClosed) break;
        if (!(await this.tryStep(step))) failed.add(keyOf(step));
      } catch (error) {
        this.context.log.error({ error: messageOf(error) }, "the layers of disks can't be looked through");
        this.isKept = true;
        break;
      }
    }
    clearTimeout(this.timer);
    if ((failed.size > 0 || this.isKept) && !this.isClosed) {
      this.timer = setTimeout(() => this.wake(), retryMs);
      this.timer.unref();
    }
  }

  /** Layers that nothing needs go at once; a merge or a fold is answered. */
  private nextStep(failed: ReadonlySet<string>): Promise<ReclaimStep | undefined> {
    const { layers, snapshots, log } = this.context;
    return layers.locked(async () => {
      for (;;) {
        const unread: string[] = [];
        const records = await snapshots.list((folder) => unread.push(folder));
        const disks = await this.disks();
        const otherLayers = new Set(
          disks.flatMap((disk) => [disk.cut?.layerId, ...replacedDisks(disk).map(({ parent }) => parent)]),
        );
        const present = await layers.list();
        const folds = foldSteps({ layers: present, disks }).filter((step) => !failed.has(keyOf(step)));
        if (unread.length > 0) {
          // Nobody else knows which layers they need: none goes.
          log.error({ folders: unread }, "snapshots can't be read: bring each its snapshot.json back, or delete it");
          this.isKept = true;
          return folds[0];
        }
        const steps = reclaimSteps({
          layers: present,
          snapshotLayers: new Set(records.map(({ layerId }) => layerId)),
          // What a VM's disk becomes is all that the guest wrote, though nothing names it until the cut is finished; a disk that was replaced may come back.
          held: (id) => layers.isHeld(id) || otherLayers.has(id),
          disks,
        });
        const removable = steps.filter(({ kind }) => kind === "remove");
        for (const { layer } of removable) await layers.remove(layer.id);
        if (removable.length > 0) continue;
        return steps.find((step) => !failed.has(keyOf(step))) ?? folds[0];
      }
    });
  }

  private async disks(): Promise<({ vmId: number } & Pick<DiskRecord, "parent" | "cut" | "replaced">)[]> {
    const { settings } = this.context;
    const ids = await listMachineIds(pathsOf(settings).machines);
    return Promise.all(
      ids.map(async (vmId) => {
        const { parent, cut, replaced } = await readDiskRecord(machinePaths(settings, vmId));
        return { vmId, parent, cut, replaced };
      }),
    );
  }

  /** Answers whether it was done. */
  private async tryStep(step: ReclaimStep): Promise<boolean> {
    const abort = new AbortController();
    this.present = { vmId: step.kind === "merge-into-disk" ? step.vmId : null, abort, writing: null };
    try {
      await this.assertSpace(step);
      if (step.kind === "merge-into-layer" || step.kind === "fold")
        return await this.mergeIntoLayer(step, abort.signal);
      if (step.kind === "merge-into-disk") return await this.mergeIntoDisk(step, abort.signal);
      return true;
    } catch (error) {
      if (!abort.signal.aborted) {
        const level = step.kind === "fold" ? "info" : "warn";
        this.context.log[level]({ layer: step.layer.id, error: messageOf(error) }, "a layer could not be merged yet");
      }
      return false;
    } finally {
      this.present = null;
    }
  }

  private async mergeIntoLayer(
    { kind, layer, child }: Extract<ReclaimStep, { child: Layer }>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { layers } = this.context;
    const snapshotBelow = await snapshotUnder(this.context, child);
    const held = await layers.holdChain(child.id);
    const target = layers.mergingFile(child.id);
    try {
      const { virtualBytes, vmId } = child;
      const merging = { target, virtualBytes, own: null, layers: held.layers, merged: layer, vmId };
      await writeMerged(this.context, merging, signal);
      failpoint("agent.merge.written");
    } finally {
      held.letGo();
    }
    const isFold = kind === "fold";
    const level = isFold ? child.level + 1 : Math.max(child.level, layer.level);
    const grownBytes = Math.max(0, (await allocatedBytes(target)) - ((await layers.bytesOf(child.id)) ?? 0));
    const foldedBytes = child.foldedBytes + (isFold ? grownBytes : layer.foldedBytes);
    const merged = { ...child, parent: layer.parent, snapshotBelow, level, foldedBytes };
    const gone = held.layers.slice(1, held.layers.findIndex(({ id }) => id === layer.id) + 1);
    await layers.locked(async () => {
      if (!(await layers.moveIn(child, target))) throw new Error("The merged file is gone before it was used.");
      failpoint("agent.merge.replaced");
      await layers.write(merged);
      failpoint("agent.merge.unlinked");
    });
    await Promise.all([...this.machines.values()].map((machine) => this.trySwitchLive(machine, merged, gone)));
    return true;
  }

  /** Where that isn't possible, the space comes back when the VM is next turned off. */
  private async trySwitchLive(machine: Machine, layer: Layer, merged: readonly Layer[]): Promise<void> {
    const { id } = machine.spec;
    const { layers, settings } = this.context;
    try {
      await this.context.enqueue(id, async () => {
        // In its turn alone: a snapshot that was taken before it put another layer between.
        const { parent, cut } = await readDiskRecord(machinePaths(settings, id));
        const chain = await layers.chain(parent);
        const index = chain.findIndex((one) => one.id === layer.id);
        if (index === -1 || cut !== null || machine.runtime.qemu === null) return;
        await switchLive(this.context, machine, { layer, above: chain[index - 1] ?? null, merged });
      });
    } catch (error) {
      this.context.log.warn({ vm: id, error: messageOf(error) }, "space comes back only when this VM is turned off");
    }
  }

  private async mergeIntoDisk({ layer, vmId }: { layer: Layer; vmId: number }, signal: AbortSignal): Promise<boolean> {
    const machine = this.machines.get(vmId);
    if (machine === undefined || this.busy.has(vmId)) return false;
    return machine.runtime.qemu === null
      ? this.mergeIntoDiskAtRest(machine, layer, signal)
      : this.mergeIntoRunningDisk(machine, layer, signal);
  }

  private async mergeIntoRunningDisk(machine: Machine, layer: Layer, signal: AbortSignal): Promise<boolean> {
    const qemu = await beginLiveMerge(this.context, machine, layer).catch((error: unknown) => {
      this.unsure.add(machine.spec.id);
      throw error;
    });
    if (qemu === null || this.present === null) return false;
    this.present.writing = streamEnded(qemu, signal).finally(() => cancelStream(qemu).catch(() => undefined));
    await this.present.writing;
    failpoint("agent.merge.written");
    return finishLiveMerge(this.context, machine, layer, qemu);
  }

  private async mergeIntoDiskAtRest(machine: Machine, layer: Layer, signal: AbortSignal): Promise<boolean> {
    const { id } = machine.spec;
    const paths = machinePaths(this.context.settings, id);
    const before = await readDiskRecord(paths);
    if (before.cut !== null) return false;
    const disk = diskName(newLayerId());
    const held = await this.context.layers.holdChain(before.parent);
    try {
      const own = inFolder(paths, before.disk);
      const { virtualBytes } = await readQcow2Header(own);
      const merging = {
        target: inFolder(paths, disk),
        virtualBytes,
        own,
        layers: held.layers,
        merged: layer,
        vmId: id,
      };
      if (this.busy.has(id) || machine.runtime.qemu !== null || this.present === null) return false;
      this.present.writing = writeMerged(this.context, merging, signal);
      await this.present.writing;
    } finally {
      held.letGo();
    }
    failpoint("agent.merge.written");
    return this.context.enqueue(id, async () => {
      const now = await readDiskRecord(paths);
      const isAsBefore = now.disk === before.disk && now.parent === layer.id && now.cut === null;
      // It may have been swept, since no record names it yet.
      const isThere = (await allocatedBytes(inFolder(paths, disk))) > 0;
      const mayReplace = isAsBefore && isThere && machine.runtime.qemu === null && !signal.aborted;
      const next = mayReplace ? { ...diskWithout(now, layer), disk } : now;
      if (mayReplace) await writeDiskRecord(paths, next);
      failpoint("agent.merge.replaced");
      await sweepDisks(paths, next);
      return mayReplace;
    });
  }

  /** A merge needs room for a second copy of what it merges, for a moment. A fold keeps both, and may take a quarter of what is free. */
  private async assertSpace(step: ReclaimStep): Promise<void> {
    const { settings, layers } = this.context;
    const { bavail, bsize } = await statfs(settings.dataDir);
    const chain = await layers.chain("child" in step ? step.child.id : step.layer.id);
    const merged = chain.slice(0, chain.findIndex(({ id }) => id === step.layer.id) + 1);
    const bytes = await Promise.all(merged.map(({ id }) => layers.bytesOf(id)));
    const copyBytes = bytes.reduce<number>((sum, some) => sum + (some ?? 0), 0);
    if (bavail * bsize >= copyBytes * (step.kind === "fold" ? 4 : 1) + spareBytes) return;
    throw new CumulusError("insufficient_capacity", "The disk of this host is too full to merge layers.");
  }
}
