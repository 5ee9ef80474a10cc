import { CumulusError } from "../domain/errors";
import type { HostReport } from "../domain/host";
import type { BrokenForward, NetworkState, NetworkStatus, PortForward, ReachabilityCheck } from "../domain/hostNetwork";
import type { ImageIdentity, ImageManifest } from "../domain/image";
import type { MachineSpec, Observation } from "../domain/machine";
import type { SnapshotCost, SnapshotManifest } from "../domain/snapshotManifest";
import type { TaskReport } from "../domain/task";
import type { TrafficReading } from "../domain/vmNetworking";
import { pathsOf, type Settings } from "../env";
import { failpoint } from "../failpoints";
import { listImages, removeImage } from "../images/store";
import type { Log } from "../system/log";
import { detectUserScheme } from "../system/machineUsers";
import { listQemuProcesses } from "../system/platform";
import { ActQueue } from "./actQueue";
import { Browser } from "./browsing/browser";
import type { HostContext } from "./context";
import { listMachineIds, prepareFolders, removeMachineFolders, sweepLeftovers } from "./folders";
import { readHostReport } from "./hostReport";
import type { DiskSource, ExportTarget, Hypervisor, RestoreSnapshotAsk, TakeSnapshotAsk } from "./hypervisor";
import { assertImageUnused } from "./imageFiles";
import { removeMergeFolder } from "./layers/mergeFiles";
import { Reclaimer } from "./layers/reclaimer";
import { loadMachine } from "./loadMachine";
import { Machine } from "./machine";
import { assertSocketPaths, machinePaths } from "./machinePaths";
import { absentObservation } from "./machineState";
import { makeContext } from "./makeContext";
import { makeMachine } from "./makeMachine";
import { whyPortTaken } from "./network/hostPorts";
import { readTraffic } from "./network/traffic";
import { assertNobodyRuns, isUsingFolder } from "./qemu/process";
import { recoverUserfaultfd } from "./snapshots/userfaultfd";
import { VmSnapshots } from "./snapshots/vmSnapshots";

export interface QemuHypervisorOptions {
  settings: Settings;
  log: Log;
}

/**
 * The VMs of this computer, each one a QEMU process. Their folders and QEMU itself are all the state there is: another instance, later, takes up
 * what this one leaves. There must be one instance at a time for a data folder.
 */
export function createQemuHypervisor(options: QemuHypervisorOptions): Hypervisor {
  return new QemuHypervisor(options);
}

class QemuHypervisor implements Hypervisor {
  private readonly machines = new Map<number, Machine>();
  private readonly listeners = new Set<(observation: Observation) => void>();
  private readonly queue = new ActQueue();
  private readonly startedAt = new Date().toISOString();
  private readonly settings: Settings;
  private readonly log: Log;
  private context: HostContext | null = null;
  private reclaimer: Reclaimer | null = null;
  private snapshots: VmSnapshots | null = null;
  private browser: Browser | null = null;
  /** Their images must not go meanwhile. */
  private readonly beingEnsured = new Set<MachineSpec>();

  constructor({ settings, log }: QemuHypervisorOptions) {
    this.settings = settings;
    this.log = log;
  }

  async recover(): Promise<void> {
    // Whatever we make is nobody else's to read; qemu-img, for one, makes disks that all may read.
    process.umask(0o077);
    assertSocketPaths(this.settings);
    const users = await detectUserScheme();
    await prepareFolders(this.settings, users, this.log);
    const context = await makeContext(this.settings, users, this.log, {
      enqueue: (id, act) => this.queue.run(id, act),
      onChange: (observation) => this.tell(observation),
    });
    this.context = context;
    const reclaimer = new Reclaimer(context, this.machines);
    this.reclaimer = reclaimer;
    this.snapshots = new VmSnapshots(context, reclaimer, (id) => this.machine(id));
    await recoverUserfaultfd(this.settings);
    await context.networks.recover();
    const processes = await listQemuProcesses();
    const isRunning = (runFolder: string) => processes.some(({ commandLine }) => isUsingFolder(commandLine, runFolder));
    await sweepLeftovers(this.settings, isRunning, this.log);
    const ids = await listMachineIds(pathsOf(this.settings).machines);
    await Promise.all(
      ids.map((id) =>
        this.queue.run(id, async () => {
          const machine = await loadMachine(context, id, processes);
          if (machine !== null) this.machines.set(id, machine);
        }),
      ),
    );
    await this.sweepSnapshots(context);
    reclaimer.wake();
  }

  private async sweepSnapshots({ layers, snapshots }: HostContext): Promise<void> {
    await removeMergeFolder(this.settings);
    for (const name of [...(await layers.sweep()), ...(await snapshots.sweep())]) {
      this.log.info({ name }, "swept what a crash left");
    }
  }

  async host(): Promise<HostReport> {
    return readHostReport(this.ready(), this.startedAt, this.brokenForwards());
  }

  async listImages(): Promise<ImageManifest[]> {
    return listImages(pathsOf(this.settings), (file) => this.log.warn({ file }, "an image's manifest can't be read"));
  }

  async removeImage(image: ImageIdentity): Promise<void> {
    const { layers } = this.ready();
    const specs = () => [...this.beingEnsured, ...[...this.machines.values()].map(({ spec }) => spec)];
    await layers.locked(() =>
      removeImage(pathsOf(this.settings), image, () => assertImageUnused(image.sha256, specs(), layers)),
    );
  }

  async ensure(spec: MachineSpec): Promise<Observation> {
    const context = this.ready();
    this.beingEnsured.add(spec);
    try {
      return await this.queue.run(spec.id, async () => {
        const machine = this.machines.get(spec.id) ?? (await this.make(context, spec));
        await this.withoutReclaim(spec.id, () => machine.apply(spec));
        return machine.observation();
      });
    } finally {
      this.beingEnsured.delete(spec);
    }
  }

  start(id: number) {
    return this.act(id, (machine) => this.withoutReclaim(id, () => machine.start()));
  }

  stop(id: number) {
    return this.act(id, (machine) => machine.stop());
  }

  shutdown(id: number) {
    return this.act(id, (machine) => machine.shutdown());
  }

  reboot(id: number, operationId: number, deadlineMs: number) {
    return this.act(id, (machine) => machine.reboot(operationId, deadlineMs));
  }

  reset(id: number, operationId: number) {
    return this.act(id, (machine) => machine.reset(operationId));
  }

  pause(id: number) {
    return this.act(id, (machine) => machine.pause());
  }

  resume(id: number) {
    return this.act(id, (machine) => machine.resume());
  }

  async remove(id: number): Promise<void> {
    this.ready();
    await this.queue.run(id, async () => {
      const machine = this.machines.get(id);
      if (machine === undefined) await assertNobodyRuns(machinePaths(this.settings, id).runFolder);
      await machine?.stop();
      failpoint("agent.remove.stopped");
      await this.withoutReclaim(id, async () => {
        await machine?.runtime.close();
        await removeMachineFolders(this.settings, id);
        this.machines.delete(id);
      });
      if (machine) this.tell(absentObservation(id, new Date().toISOString()));
    });
  }

  async takeSnapshot(id: number, ask: TakeSnapshotAsk, report: TaskReport, signal: AbortSignal) {
    return this.readySnapshots().take(id, ask, report, signal);
  }

  async restoreSnapshot(id: number, ask: RestoreSnapshotAsk, report: TaskReport, signal: AbortSignal) {
    return this.readySnapshots().restore(id, ask, report, signal);
  }

  async listSnapshots(): Promise<SnapshotManifest[]> {
    return this.readySnapshots().list();
  }

  async removeSnapshot(snapshotId: number): Promise<void> {
    await this.readySnapshots().remove(snapshotId);
  }

  async snapshotCost(id: number): Promise<SnapshotCost> {
    return this.readySnapshots().cost(id);
  }

  async exportDisk(source: DiskSource, target: ExportTarget, report: TaskReport, signal: AbortSignal) {
    return this.readySnapshots().export(source, target, report, signal);
  }

  async observe(id: number): Promise<Observation> {
    return this.machines.get(id)?.observation() ?? absentObservation(id, new Date().toISOString());
  }

  async observeAll(): Promise<Observation[]> {
    return [...this.machines.values()].map((machine) => machine.observation());
  }

  watch(listener: (observation: Observation) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  async screenshot(id: number) {
    return this.machine(id).screenshot();
  }

  async lastScreenshot(id: number) {
    return this.machine(id).lastScreenshot();
  }

  async typeText(id: number, text: string, signal: AbortSignal) {
    return this.machine(id).typeText(text, signal);
  }

  async openVnc(id: number) {
    return this.machine(id).openVnc();
  }

  async vncSocket(id: number) {
    return this.machine(id).vncSocket();
  }

  async openSerial(id: number) {
    return this.machine(id).openSerial();
  }

  async listSnapshotFiles(snapshotId: number, path: string) {
    return this.readyBrowser().list(snapshotId, path);
  }

  async readSnapshotFile(snapshotId: number, path: string) {
    return this.readyBrowser().read(snapshotId, path);
  }

  async applyNetworks(state: NetworkState): Promise<void> {
    await this.ready().networks.apply(state);
    await Promise.all([...this.machines.values()].map(({ runtime }) => runtime.settleForwards()));
  }

  async networkStatus(): Promise<NetworkStatus> {
    return { ...(await this.ready().networks.status()), brokenForwards: this.brokenForwards() };
  }

  async whyPortTaken(protocol: PortForward["protocol"], port: number): Promise<string | null> {
    return whyPortTaken(protocol, port);
  }

  async traffic(id: number): Promise<TrafficReading> {
    const { spec, runtime } = this.machine(id);
    const pid = runtime.qemu?.process.identity.pid ?? null;
    return readTraffic(
      id,
      spec.interfaces.map((link) => link.id),
      pid,
    );
  }

  async diagnose(id: number, interfaceId: string, port: number): Promise<ReachabilityCheck[]> {
    const { networks } = this.ready();
    const machine = this.machine(id);
    const { spec } = machine;
    const link = spec.interfaces.find((one) => one.id === interfaceId);
    if (link === undefined) throw new CumulusError("not_found", `This VM has no interface ${interfaceId}.`);
    const { broken } = machine.runtime.forwards;
    return networks.diagnose({ spec, seen: machine.observation(), brokenForwards: broken }, link, port);
  }

  async close(): Promise<void> {
    await this.context?.networks.close();
    await this.browser?.close();
    await this.reclaimer?.close();
    await this.queue.idle();
    await Promise.all([...this.machines.values()].map((machine) => machine.runtime.close()));
    this.machines.clear();
    this.listeners.clear();
  }

  private async make(context: HostContext, spec: MachineSpec): Promise<Machine> {
    const state = await makeMachine(context, spec);
    const machine = new Machine(context, spec, state);
    await machine.runtime.listen();
    this.machines.set(spec.id, machine);
    this.tell(machine.observation());
    return machine;
  }

  private async act(id: number, act: (machine: Machine) => Promise<void>): Promise<Observation> {
    return this.queue.run(id, async () => {
      const machine = this.machine(id);
      await act(machine);
      return machine.observation();
    });
  }

  private brokenForwards(): BrokenForward[] {
    return [...this.machines.values()].flatMap(({ runtime }) => runtime.forwards.broken);
  }

  private machine(id: number): Machine {
    const machine = this.machines.get(id);
    if (machine) return machine;
    throw new CumulusError("not_found", "This VM has no folder on this host.");
  }

  private ready(): HostContext {
    if (this.context) return this.context;
    throw new CumulusError("unavailable", "The agent is starting. Try again in a moment.", { retryAfterSeconds: 1 });
  }

  /** Layers of this VM's disk aren't merged meanwhile. */
  private async withoutReclaim(id: number, act: () => Promise<void>): Promise<void> {
    await (this.reclaimer === null ? act() : this.reclaimer.without(id, act));
  }

  private readyBrowser(): Browser {
    this.browser ??= new Browser(this.ready());
    return this.browser;
  }

  private readySnapshots(): VmSnapshots {
    this.ready();
    if (this.snapshots) return this.snapshots;
    throw new CumulusError("unavailable", "The agent is starting. Try again in a moment.", { retryAfterSeconds: 1 });
  }

  private tell(observation: Observation): void {
    // What could not be merged into the disk of a guest that runs can be when it is off.
    if (observation.pid === null) this.reclaimer?.wake();
    for (const listener of this.listeners) listener(observation);
  }
}
