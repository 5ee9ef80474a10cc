import { platform } from "node:os";
import { CumulusError, messageOf } from "../domain/errors";
import type { Accelerator, HostReport } from "../domain/host";
import type { ImageManifest } from "../domain/image";
import type { MachineSpec, Observation } from "../domain/machine";
import { pathsOf, type Settings } from "../env";
import { failpoint } from "../failpoints";
import { listImages, removeImage } from "../images/store";
import type { Log } from "../system/log";
import { detectUserScheme, type UserScheme } from "../system/machineUsers";
import { hostBootId, listQemuProcesses } from "../system/platform";
import { detectAccelerator } from "./accelerator/detect";
import { ActQueue } from "./actQueue";
import type { HostContext } from "./context";
import { listMachineIds, prepareFolders, removeMachineFolders, sweepLeftovers } from "./folders";
import { hostArch, readHostReport } from "./hostReport";
import type { Hypervisor } from "./hypervisor";
import { loadMachine } from "./loadMachine";
import { Machine } from "./machine";
import { longestSocketPathBytes, machinePaths } from "./machinePaths";
import { absentObservation } from "./machineState";
import { makeMachine } from "./makeMachine";
import { isUsingFolder } from "./qemu/process";

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
    const context = await this.makeContext(users);
    this.context = context;
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
  }

  async host(): Promise<HostReport> {
    return readHostReport(this.ready(), this.startedAt);
  }

  async listImages(): Promise<ImageManifest[]> {
    return listImages(pathsOf(this.settings), (file) => this.log.warn({ file }, "an image's manifest can't be read"));
  }

  async removeImage(sha256: string): Promise<void> {
    const specs = [...this.beingEnsured, ...[...this.machines.values()].map(({ spec }) => spec)];
    if (specs.some(({ disk }) => disk.imageSha256 === sha256)) {
      throw new CumulusError("conflict", "Disks of VMs build on this image: destroy these VMs first.");
    }
    await removeImage(pathsOf(this.settings), sha256);
  }

  async ensure(spec: MachineSpec): Promise<Observation> {
    const context = this.ready();
    this.beingEnsured.add(spec);
    try {
      return await this.queue.run(spec.id, async () => {
        const machine = this.machines.get(spec.id) ?? (await this.make(context, spec));
        await machine.apply(spec);
        return machine.observation();
      });
    } finally {
      this.beingEnsured.delete(spec);
    }
  }

  start(id: number) {
    return this.act(id, (machine) => machine.start());
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
      await machine?.runtime.close();
      await removeMachineFolders(this.settings, id);
      this.machines.delete(id);
      if (machine) this.tell(absentObservation(id, new Date().toISOString()));
    });
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

  async openSerial(id: number) {
    return this.machine(id).openSerial();
  }

  async close(): Promise<void> {
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

  private machine(id: number): Machine {
    const machine = this.machines.get(id);
    if (machine) return machine;
    throw new CumulusError("not_found", "This VM has no folder on this host.");
  }

  private ready(): HostContext {
    if (this.context) return this.context;
    throw new CumulusError("unavailable", "The agent is starting. Try again in a moment.", { retryAfterSeconds: 1 });
  }

  private tell(observation: Observation): void {
    for (const listener of this.listeners) listener(observation);
  }

  private async makeContext(users: UserScheme): Promise<HostContext> {
    const { settings, log } = this;
    let accelerator: Promise<Accelerator> | null = null;
    const context: HostContext = {
      settings,
      log,
      users,
      bootId: await hostBootId(),
      accelerator: () => {
        accelerator ??= detectAccelerator(settings, hostArch(), users, log);
        return accelerator;
      },
      enqueue: (id, act) => this.queue.run(id, act),
      onChange: (observation) => this.tell(observation),
    };
    // Begun now, so that the first VM needn't wait for it; recovering doesn't.
    context.accelerator().catch((error: unknown) => log.error({ error: messageOf(error) }, "no accelerator was found"));
    return context;
  }
}

function assertSocketPaths(settings: Settings): void {
  const maxBytes = platform() === "darwin" ? 103 : 107;
  const bytes = longestSocketPathBytes(settings);
  if (bytes <= maxBytes) return;
  throw new CumulusError(
    "unavailable",
    `The run folder ${settings.runDir} makes socket paths of ${bytes} bytes, and the system allows ${maxBytes}: set CUMULUS_RUN_DIR to a shorter one.`,
  );
}

/** A folder that holds no VM that could be read may still have a QEMU, which nobody could then find. */
async function assertNobodyRuns(runFolder: string): Promise<void> {
  const found = (await listQemuProcesses()).find(({ commandLine }) => isUsingFolder(commandLine, runFolder));
  if (found === undefined) return;
  throw new CumulusError(
    "conflict",
    `The VM's folder can't be read, and QEMU (process ${found.pid}) still runs for it. End that process, then try again.`,
  );
}
