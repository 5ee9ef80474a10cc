import { copyFile } from "node:fs/promises";
import type { SnapshotCost, SnapshotManifest } from "../../domain/snapshotManifest";
import type { TaskReport } from "../../domain/task";
import { pathsOf } from "../../env";
import { failpoint } from "../../failpoints";
import type { HostContext } from "../context";
import { backingFiles, inFolder } from "../diskFiles";
import { readDiskRecord } from "../diskRecord";
import { listMachineIds } from "../folders";
import type { DiskSource, ExportTarget, RestoreSnapshotAsk, TakeSnapshotAsk } from "../hypervisor";
import type { Reclaimer } from "../layers/reclaimer";
import type { Machine } from "../machine";
import { machinePaths } from "../machinePaths";
import type { Machines } from "../machines";
import { exportChain } from "./exportDisk";
import { holdSnapshot } from "./holdSnapshot";
import { mostBytes } from "./memoryBytes";
import { assertRestorable, isRestoreDone, isRestoreTakenOn, restoreSnapshot } from "./restore";
import { allocatedBytes } from "./snapshotStore";
import { cutDisk, takeSnapshot } from "./take";

/** The snapshots of all VMs of a host: what `Hypervisor` says of them. */
export class VmSnapshots {
  constructor(
    private readonly context: HostContext,
    private readonly reclaimer: Reclaimer,
    private readonly machines: Machines,
  ) {}

  async take(id: number, ask: TakeSnapshotAsk, report: TaskReport, signal: AbortSignal): Promise<SnapshotManifest> {
    // It is whole whatever has become of the VM since.
    const present = await this.context.snapshots.find(ask.snapshotId);
    if (present !== null) return present.manifest;
    return this.act(id, (machine) => takeSnapshot(this.target(machine), ask, report, signal));
  }

  async assertRestorable(id: number, ask: RestoreSnapshotAsk): Promise<void> {
    await assertRestorable(this.target(this.machines.find(id)), ask);
  }

  async restore(id: number, ask: RestoreSnapshotAsk, report: TaskReport, signal: AbortSignal) {
    const act = async (machine: Machine) => {
      const clockProblem = await restoreSnapshot(this.target(machine), ask, report, signal);
      return { ...(await machine.observation()), clockProblem };
    };
    return this.act(id, act, ({ runtime }) => isRestoreDone(runtime, ask) || isRestoreTakenOn(runtime, ask));
  }

  async list(): Promise<SnapshotManifest[]> {
    const { snapshots, log } = this.context;
    const records = await snapshots.list((folder) =>
      log.error({ folder }, "a snapshot can't be read; it is left alone"),
    );
    return records.map(({ manifest }) => manifest);
  }

  async holdsEndedGuest(snapshotId: number): Promise<boolean> {
    const { snapshots, settings } = this.context;
    const { running, manifest } = (await snapshots.find(snapshotId)) ?? { running: null };
    if (running === null) return false;
    const machine = this.machines.byId.get(manifest.vmId);
    // One that has its folder is there, though it could not be loaded: what became of its guest is not known.
    if (!machine) return (await listMachineIds(pathsOf(settings).machines)).includes(manifest.vmId);
    const { qemu, record } = machine.runtime;
    // A QEMU that boots has a start of its own; one that goes on with a memory has that of the memory's guest.
    return qemu === null || record.state.milestones.started !== running.milestones.started;
  }

  async remove(snapshotId: number): Promise<void> {
    const { layers, snapshots } = this.context;
    await layers.locked(() => snapshots.remove(snapshotId, () => failpoint("agent.snapshot-remove.renamed")));
    this.reclaimer.wake();
  }

  async cost(id: number): Promise<SnapshotCost> {
    const { runtime, spec } = this.machines.find(id);
    const paths = machinePaths(this.context.settings, id);
    const { disk } = await readDiskRecord(paths);
    const memoryBytes = runtime.record.state.hardware?.memoryBytes ?? spec.memoryBytes;
    return {
      diskBytes: await allocatedBytes(inFolder(paths, disk)),
      memoryBytes: runtime.qemu === null ? 0 : await mostBytes(this.context, { arch: spec.arch, memoryBytes }),
      keptBytes: await this.keptBytes(id),
    };
  }

  private async keptBytes(vmId: number): Promise<number> {
    const { layers } = this.context;
    const own = (await layers.list()).filter((layer) => layer.vmId === vmId);
    const diskBytes = await Promise.all(own.map(async ({ id }) => (await layers.bytesOf(id)) ?? 0));
    const memoryBytes = (await this.list()).map((one) => (one.vmId === vmId ? one.memoryBytes : 0));
    return [...diskBytes, ...memoryBytes].reduce((sum, bytes) => sum + bytes, 0);
  }

  async export(source: DiskSource, target: ExportTarget, report: TaskReport, signal: AbortSignal) {
    report.progress(1, "Holding the disk still.");
    const { layerId, vmId, hasUefiVars, letGo } =
      "vmId" in source
        ? await this.cut(source.vmId, target.uefiVars, report, signal)
        : await this.hold(source, target.uefiVars);
    const { layers, letGo: letGoOfAll } = await this.context.layers.holdChain(layerId);
    letGo();
    try {
      const chain = backingFiles(this.context, layers, layers.at(-1)?.imageSha256 ?? null);
      await exportChain(this.context, { chain, layers, vmId }, target, report, signal);
      return { hasUefiVars };
    } finally {
      letGoOfAll();
      this.reclaimer.wake();
    }
  }

  /** The VM's disk of this moment, as a layer that goes when it is let go of. */
  private cut(vmId: number, uefiVars: string | undefined, report: TaskReport, signal: AbortSignal) {
    return this.act(vmId, async (machine) => {
      const layerId = await cutDisk(this.target(machine), uefiVars, report, signal);
      const letGo = this.context.layers.hold(layerId);
      return { layerId, vmId, hasUefiVars: machine.spec.firmware === "uefi", letGo };
    });
  }

  private async hold({ snapshotId }: { snapshotId: number }, uefiVars: string | undefined) {
    const { layers, snapshots } = this.context;
    const snapshot = await snapshots.get(snapshotId);
    const letGo = await holdSnapshot(this.context, snapshot);
    const { vmId, machine } = snapshot.manifest;
    const hasUefiVars = machine.firmware === "uefi";
    try {
      // Its folder goes with it at any moment, unlike its layers.
      if (hasUefiVars && uefiVars !== undefined) {
        await layers.locked(async () => {
          await snapshots.get(snapshotId);
          await copyFile(snapshots.files(snapshotId).uefiVars, uefiVars);
        });
      }
      return { layerId: snapshot.layerId, vmId, hasUefiVars, letGo };
    } catch (error) {
      letGo();
      throw error;
    }
  }

  private act<T>(
    id: number,
    act: (machine: Machine) => Promise<T>,
    isUnderWay: (machine: Machine) => boolean = () => false,
  ): Promise<T> {
    return this.context.enqueue(id, async () => {
      const machine = this.machines.find(id);
      return this.reclaimer.without(id, () => machine.told(act, isUnderWay(machine)));
    });
  }

  private target({ spec, runtime }: Machine) {
    return { context: this.context, spec, runtime };
  }
}
