import { CumulusError } from "../domain/errors";
import type { HostReport } from "../domain/host";
import type { BrokenForward, NetworkState, NetworkStatus, PortForward, ReachabilityCheck } from "../domain/hostNetwork";
import type { ImageIdentity, ImageManifest } from "../domain/image";
import type { MachineSpec, Observation } from "../domain/machine";
import type { SnapshotCost, SnapshotManifest } from "../domain/snapshotManifest";
import type { TaskReport } from "../domain/task";
import { GIB } from "../domain/units";
import type { TrafficReading } from "../domain/vmNetworking";
import { pathsOf, type Settings } from "../env";
import { failpoint } from "../failpoints";
import { listImages, removeImage } from "../images/store";
import type { Log } from "../system/log";
import { detectUserScheme } from "../system/machineUsers";
import { listQemuProcesses } from "../system/platform";
import { Browser } from "./browsing/browser";
import type { HostContext } from "./context";
import { listMachineIds, prepareFolders, removeMachineFolders, sweepLeftovers } from "./folders";
import { readHostReport } from "./hostReport";
import type { DiskSource, ExportTarget, Hypervisor, RestoreSnapshotAsk, TakeSnapshotAsk } from "./hypervisor";
import { assertImageUnused } from "./imageFiles";
import { Reclaimer } from "./layers/reclaimer";
import { loadMachine } from "./loadMachine";
import { Machine } from "./machine";
import { assertSocketPaths, machinePaths } from "./machinePaths";
import { Machines } from "./machines";
import { makeContext } from "./makeContext";
import { makeMachine } from "./makeMachine";
import { unpluggedChecks } from "./network/checks";
import { whyPortTaken } from "./network/hostPorts";
import { readTraffic } from "./network/traffic";
import { assertNobodyRuns, isUsingFolder } from "./qemu/process";
import { recoverUserfaultfd } from "./snapshots/userfaultfd";
import { VmSnapshots } from "./snapshots/vmSnapshots";

export interface QemuHypervisorOptions {
  settings: Settings;
  log: Log;
  /** See `HostContext`. */
  copiesMemoryAboveBytes?: number;
}

/** To protect this much memory takes a guest some tens of milliseconds (docs/snapshots.md). */
const protectableBytes = GIB;

/**
 * The VMs of this computer, each one a QEMU process. Their folders and QEMU itself are all the state there is: another instance, later, takes up
 * what this one leaves. There must be one instance at a time for a data folder.
 */
export function createQemuHypervisor(options: QemuHypervisorOptions): Hypervisor {
  return new QemuHypervisor(options);
}

/** What there is once it has begun to take up what runs. */
interface Parts {
  context: HostContext;
  reclaimer: Reclaimer;
  snapshots: VmSnapshots;
  browser: Browser;
}

class QemuHypervisor implements Hypervisor {
  private readonly machines = new Machines();
  private readonly startedAt = new Date().toISOString();
  private readonly settings: Settings;
  private readonly log: Log;
  private readonly copiesMemoryAboveBytes: number;
  private parts: Parts | null = null;
  /** Their images must not go meanwhile. */
  private readonly beingEnsured = new Set<MachineSpec>();

  constructor({ settings, log, copiesMemoryAboveBytes = protectableBytes }: QemuHypervisorOptions) {
    this.settings = settings;
    this.log = log;
    this.copiesMemoryAboveBytes = copiesMemoryAboveBytes;
  }

  async recover(): Promise<void> {
    // Whatever we make is nobody else's to read; qemu-img, for one, makes disks that all may read.
    process.umask(0o077);
    assertSocketPaths(this.settings);
    const users = await detectUserScheme();
    await prepareFolders(this.settings, users, this.log);
    const context = await makeContext(this.settings, users, this.log, {
      enqueue: (id, act) => this.machines.inTurn(id, act),
      onChange: (observation) => this.machines.tell(observation),
      copiesMemoryAboveBytes: this.copiesMemoryAboveBytes,
    });
    const reclaimer = new Reclaimer(context, this.machines.byId);
    // What could not be merged into the disk of a guest that runs can be when it is off.
    this.machines.watch(({ pid }) => {
      if (pid === null) reclaimer.wake();
    });
    const snapshots = new VmSnapshots(context, reclaimer, this.machines);
    this.parts = { context, reclaimer, snapshots, browser: new Browser(context, () => reclaimer.wake()) };
    await recoverUserfaultfd(this.settings);
    await context.networks.recover();
    const processes = await listQemuProcesses();
    const isRunning = (runFolder: string) => processes.some(({ commandLine }) => isUsingFolder(commandLine, runFolder));
    await sweepLeftovers(this.settings, isRunning, this.log);
    // Before anything can begin that makes such files.
    await this.sweepSnapshots(context);
    const ids = await listMachineIds(pathsOf(this.settings).machines);
    await Promise.all(
      ids.map((id) =>
        this.machines.inTurn(id, async () => {
          const machine = await loadMachine(context, id, processes);
          if (machine !== null) this.machines.add(id, machine);
        }),
      ),
    );
    reclaimer.wake();
  }

  private async sweepSnapshots({ layers, snapshots }: HostContext): Promise<void> {
    for (const name of [...(await layers.sweep()), ...(await snapshots.sweep())]) {
      this.log.info({ name }, "swept what a crash left");
    }
  }

  async host(): Promise<HostReport> {
    return readHostReport(this.ready().context, this.startedAt, this.brokenForwards());
  }

  async listImages(): Promise<ImageManifest[]> {
    return listImages(pathsOf(this.settings), (file) => this.log.warn({ file }, "an image's manifest can't be read"));
  }

  async removeImage(image: ImageIdentity): Promise<void> {
    const { layers } = this.ready().context;
    const specs = () => [...this.beingEnsured, ...this.machines.all.map(({ spec }) => spec)];
    await layers.locked(() =>
      removeImage(pathsOf(this.settings), image, () => assertImageUnused(image.sha256, specs(), layers)),
    );
  }

  async ensure(spec: MachineSpec): Promise<Observation> {
    const { context, reclaimer } = this.ready();
    this.beingEnsured.add(spec);
    try {
      return await this.machines.inTurn(spec.id, async () => {
        const machine = this.machines.byId.get(spec.id) ?? (await this.make(context, spec));
        await reclaimer.without(spec.id, () => machine.apply(spec));
        return machine.observation();
      });
    } finally {
      this.beingEnsured.delete(spec);
    }
  }

  start(id: number) {
    return this.machines.act(id, (machine) => this.ready().reclaimer.without(id, () => machine.start()));
  }

  stop(id: number) {
    return this.machines.act(id, (machine) => machine.stop());
  }

  shutdown(id: number) {
    return this.machines.act(id, (machine) => machine.shutdown());
  }

  reboot(id: number, operationId: number, deadlineMs: number) {
    return this.machines.act(id, (machine) => machine.reboot(operationId, deadlineMs));
  }

  reset(id: number, operationId: number) {
    return this.machines.act(id, (machine) => machine.reset(operationId));
  }

  pause(id: number) {
    return this.machines.act(id, (machine) => machine.pause());
  }

  resume(id: number) {
    return this.machines.act(id, (machine) => machine.resume());
  }

  async remove(id: number): Promise<void> {
    const { reclaimer } = this.ready();
    await this.machines.inTurn(id, async () => {
      const machine = this.machines.byId.get(id);
      if (machine === undefined) await assertNobodyRuns(machinePaths(this.settings, id).runFolder);
      await machine?.stop();
      failpoint("agent.remove.stopped");
      await reclaimer.without(id, async () => {
        await machine?.runtime.close();
        await removeMachineFolders(this.settings, id);
        this.machines.forget(id);
      });
      if (machine) this.machines.tell(this.machines.observe(id));
    });
  }

  async takeSnapshot(id: number, ask: TakeSnapshotAsk, report: TaskReport, signal: AbortSignal) {
    return this.ready().snapshots.take(id, ask, report, signal);
  }

  async assertRestorable(id: number, ask: RestoreSnapshotAsk) {
    return this.ready().snapshots.assertRestorable(id, ask);
  }

  async restoreSnapshot(id: number, ask: RestoreSnapshotAsk, report: TaskReport, signal: AbortSignal) {
    return this.ready().snapshots.restore(id, ask, report, signal);
  }

  async listSnapshots(): Promise<SnapshotManifest[]> {
    return this.ready().snapshots.list();
  }

  async holdsEndedGuest(snapshotId: number): Promise<boolean> {
    return this.ready().snapshots.holdsEndedGuest(snapshotId);
  }

  async removeSnapshot(snapshotId: number): Promise<void> {
    await this.ready().snapshots.remove(snapshotId);
  }

  async snapshotCost(id: number): Promise<SnapshotCost> {
    return this.ready().snapshots.cost(id);
  }

  async exportDisk(source: DiskSource, target: ExportTarget, report: TaskReport, signal: AbortSignal) {
    return this.ready().snapshots.export(source, target, report, signal);
  }

  async observe(id: number): Promise<Observation> {
    return this.machines.observe(id);
  }

  async observeAll(): Promise<Observation[]> {
    return this.machines.all.map((machine) => machine.observation());
  }

  watch(listener: (observation: Observation) => void): () => void {
    return this.machines.watch(listener);
  }

  async screenshot(id: number) {
    return this.machines.find(id).screenshot();
  }

  async lastScreenshot(id: number) {
    return this.machines.find(id).lastScreenshot();
  }

  async typeText(id: number, text: string, signal: AbortSignal) {
    return this.machines.find(id).typeText(text, signal);
  }

  async openVnc(id: number) {
    return this.machines.find(id).openVnc();
  }

  async vncSocket(id: number) {
    return this.machines.find(id).vncSocket();
  }

  async openSerial(id: number) {
    return this.machines.find(id).openSerial();
  }

  async listSnapshotFiles(snapshotId: number, path: string) {
    return this.ready().browser.list(snapshotId, path);
  }

  async readSnapshotFile(snapshotId: number, path: string) {
    return this.ready().browser.read(snapshotId, path);
  }

  async applyNetworks(state: NetworkState): Promise<void> {
    try {
      await this.ready().context.networks.apply(state);
    } finally {
      // Forwards of user-mode networks are had also where what is about bridges can't be.
      await Promise.all(this.machines.all.map(({ runtime }) => runtime.settleForwards()));
    }
  }

  async networkStatus(): Promise<NetworkStatus> {
    return { ...(await this.ready().context.networks.status()), brokenForwards: this.brokenForwards() };
  }

  async whyPortTaken(protocol: PortForward["protocol"], port: number): Promise<string | null> {
    return whyPortTaken(protocol, port);
  }

  async traffic(id: number): Promise<TrafficReading> {
    const { spec, runtime } = this.machines.find(id);
    const pid = runtime.qemu?.process.identity.pid ?? null;
    return readTraffic(
      id,
      spec.interfaces.map((link) => link.id),
      pid,
    );
  }

  async diagnose(id: number, interfaceId: string, port: number): Promise<ReachabilityCheck[]> {
    const { networks } = this.ready().context;
    const machine = this.machines.find(id);
    const { spec } = machine;
    const link = spec.interfaces.find((one) => one.id === interfaceId);
    if (link === undefined) return unpluggedChecks(machine.observation(), interfaceId);
    const { broken } = machine.runtime.forwards;
    return networks.diagnose({ spec, seen: machine.observation(), brokenForwards: broken }, link, port);
  }

  async close(): Promise<void> {
    await this.parts?.context.networks.close();
    await this.parts?.browser.close();
    await this.parts?.reclaimer.close();
    await this.machines.close();
  }

  private async make(context: HostContext, spec: MachineSpec): Promise<Machine> {
    const state = await makeMachine(context, spec);
    const machine = new Machine(context, spec, state);
    await machine.runtime.listen();
    this.machines.add(spec.id, machine);
    this.machines.tell(machine.observation());
    return machine;
  }

  private brokenForwards(): BrokenForward[] {
    return this.machines.all.flatMap(({ runtime }) => runtime.forwards.broken);
  }

  private ready(): Parts {
    if (this.parts) return this.parts;
    throw new CumulusError("unavailable", "The agent is starting. Try again in a moment.", { retryAfterSeconds: 1 });
  }
}
