import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../domain/errors";
import { type MachineSpec, startedLinkOf } from "../domain/machine";
import { failpoint } from "../failpoints";
import type { Log } from "../system/log";
import type { ProcessIdentity } from "../system/platform";
import type { HostContext } from "./context";
import { Ending } from "./ending";
import { closeRunFolder, makeRunFolder, removeQemuSockets } from "./folders";
import { ForwardKeeper } from "./forwardKeeper";
import type { GuestAgent } from "./guest/guestAgent";
import { GuestRequest } from "./guest/guestRequest";
import { GuestWatch } from "./guest/guestWatch";
import { awaitStarted, prepareLaunch } from "./launch";
import { cancelStream } from "./layers/streamJob";
import { repairLeaksSoon } from "./leaks";
import { type MachinePaths, machinePaths } from "./machinePaths";
import { MachineRecord } from "./machineRecord";
import { type MachineState, withEnd, withLaunch, withoutProcess } from "./machineState";
import { networkNames } from "./network/names";
import { cdromId } from "./qemu/cdrom";
import { lastWords, type ProcessEnd, type QemuProcess, spawnQemu } from "./qemu/process";
import { reasonOfEnd, runStateOf } from "./qemu/runState";
import type { QmpEvent } from "./qmp/client";
import { RunningQemu } from "./runningQemu";
import { SerialConsole } from "./serial/console";
import { settleDisk, withDiskHeld } from "./settleDisk";
import { HoldEnding } from "./snapshots/holdEnding";
import { fitting, type IncomingMemory } from "./snapshots/incoming";

/** A QEMU that runs answers at once; a stopped one must not hold up the adoption of others. */
const adoptMs = 1000;

/**
 * A VM's QEMU from its start, or its adoption, to its end. How it is ended is in ending.ts; what is seen of the guest meanwhile, in
 * guest/guestWatch.ts.
 *
 *     off ── launch ──▶ starting ──▶ up ──▶ off          (a start that fails goes back to off, and nothing was)
 *     off ── adopt ───▶ starting ──▶ up
 *                  └──▶ silent ──▶ starting ──▶ up       (a QEMU that doesn't answer is taken up when it does)
 *
 * Invariants: `qemu` is set in all phases but `off`; in `up` the folder with the sockets is closed and the serial port is held;
 * a QEMU that was up is ended by `Ending` alone.
 */
export class Runtime {
  qemu: RunningQemu | null = null;
  readonly record: MachineRecord;
  readonly serial: SerialConsole;
  private phase: "off" | "starting" | "silent" | "up" = "off";
  private isLaunching = false;
  private wasSignalled = false;
  /** Whether the disk was not in order yet when QEMU was started. */
  private hadLeaks = true;
  /** What the guest is asked to do and hasn't done. */
  readonly guestRequest: GuestRequest;
  /** Ends holds that whoever held the guest did not end. */
  readonly holdEnding: HoldEnding;
  /** Ports of the host that lead to it, with a user-mode network. */
  readonly forwards: ForwardKeeper;
  private readonly watch: GuestWatch;
  private readonly ending: Ending;
  private readonly id: number;
  private readonly paths: MachinePaths;
  private readonly log: Log;

  constructor(
    private readonly context: HostContext,
    private readonly spec: () => MachineSpec,
    state: MachineState,
    private readonly onTrayOpened: () => Promise<void>,
  ) {
    this.id = spec().id;
    this.log = context.log;
    this.paths = machinePaths(context.settings, this.id);
    this.record = new MachineRecord(spec, this.paths.state, state, this.log, context.onChange);
    const shared = { record: this.record, paths: this.paths, log: this.log };
    this.watch = new GuestWatch({ ...shared, spec, namespace: networkNames(context.settings.runDir).namespacePath });
    const inBackground: Runtime["inBackground"] = (what, act, after) => this.inBackground(what, act, after);
    this.ending = new Ending({ ...shared, id: this.id, qemu: () => this.qemu, inBackground });
    this.holdEnding = new HoldEnding({
      record: this.record,
      qemu: () => this.qemu,
      guestAgent: () => this.guestAgent,
      inBackground,
    });
    this.guestRequest = new GuestRequest({
      id: this.id,
      log: this.log,
      pending: () => this.record.state.pending,
      qemu: () => this.qemu,
      guestAgent: () => this.guestAgent,
      onDeadline: () => this.inBackground("the reboot by force", () => this.rebootByForce()),
    });
    this.forwards = new ForwardKeeper({
      vmId: this.id,
      log: this.log,
      wanted: () => context.networks.userForwardsOf(this.id),
      link: () => spec().interfaces[0],
      sshHostPort: () => this.record.state.sshHostPort,
    });
    this.serial = new SerialConsole({
      logFile: this.paths.serialLog,
      log: this.log,
      onOutput: (chunk) => this.watch.output(chunk),
    });
  }

  /** Offers the serial port to people on this host, whether the VM runs or not. */
  async listen(): Promise<void> {
    try {
      await makeRunFolder(this.context.settings, this.context.users, this.id);
      await this.serial.listen(this.paths.serial);
    } catch (error) {
      this.log.warn({ vm: this.id, error: messageOf(error) }, "the serial port can't be offered on a socket");
    }
  }

  /** @param incoming a memory with which the guest goes on, instead of booting */
  async launch(incoming: IncomingMemory | null = null): Promise<void> {
    const spec = incoming === null ? this.spec() : fitting(this.spec(), incoming.hardware);
    await withDiskHeld(this.context, spec, this.record, () => this.launchOf(spec, incoming));
    failpoint("agent.start.running");
  }

  private async launchOf(spec: MachineSpec, incoming: IncomingMemory | null): Promise<void> {
    const before = this.record.state;
    this.hadLeaks = before.mayLeak;
    const command = await prepareLaunch(this.context, spec, incoming !== null);
    this.isLaunching = true;
    try {
      const { hardware } = command;
      const launch = { hardware, hostBootId: this.context.bootId, ...startedLinkOf(spec) };
      await this.record.commit((state) => withLaunch(state, launch, incoming?.milestones ?? null));
      failpoint("agent.start.before-spawn");
      const { program, args, user, namespace } = command;
      const process = await spawnQemu(program, args, user, this.paths.qemuLog, namespace);
      failpoint("agent.start.spawned");
      const qemu = this.hold(process);
      await this.record.commit((state) => ({ ...state, process: process.identity }));
      await awaitStarted(qemu, this.paths, spec);
      this.serial.note(`started ${new Date().toISOString()}`);
      await incoming?.load(qemu);
      await this.takeUp(qemu, true);
    } catch (error) {
      await this.endFailedLaunch();
      await this.record.note((state) => ({ ...before, mayLeak: state.mayLeak }));
      throw error;
    } finally {
      this.isLaunching = false;
    }
  }

  /**
   * Takes up what an agent before this one left.
   * @param identity of the VM's QEMU, or null when there is none
   */
  async adopt(identity: ProcessIdentity | null): Promise<void> {
    if (identity === null) {
      const words = await lastWords(this.paths.qemuLog);
      const next = withoutProcess(this.record.state, this.context.bootId, words);
      if (!isDeepStrictEqual(next, this.record.state)) await this.record.note(() => next);
      await settleDisk(this.context, this.spec(), null, this.record);
      await removeQemuSockets(this.paths);
      this.repairLeaks();
      return;
    }
    const qemu = this.hold({ identity, ended: null });
    await this.record.note((state) => ({ ...state, process: identity }));
    if (this.record.state.intent === "stopped") {
      this.record.see({ state: "running", reason: "It is being turned off." });
      qemu.keepConnecting();
      return this.inBackground("a stop that was begun", () => this.ending.goOn());
    }
    await this.tryTakeUp(qemu, () => qemu.connect(adoptMs));
    if (this.phase === "silent") qemu.keepConnecting();
  }

  /** Ends QEMU, for a reason that is noted first, and keeps the last picture of the screen. Done when it is gone. */
  finish(ended: MachineState["ended"]): Promise<void> {
    return this.ending.finish(ended);
  }

  /** Lets go of QEMU without ending it. */
  async close(): Promise<void> {
    this.qemu?.release();
    this.letGo();
    await this.serial.close();
    await this.record.settled();
  }

  private hold(process: QemuProcess): RunningQemu {
    this.phase = "starting";
    this.wasSignalled = false;
    const qemu = new RunningQemu(process, this.spec().uuid, this.paths, {
      onStatus: (status) => this.onStatus(status),
      onEvent: (event) => this.onEvent(event),
      onSilent: () => this.unresponsive(),
      onGone: (end) => this.onGone(end),
    });
    this.qemu = qemu;
    return qemu;
  }

  /** As `takeUp`; a QEMU with which that fails is tried again when it next answers. */
  private async tryTakeUp(qemu: RunningQemu, before: () => Promise<void> = async () => {}): Promise<void> {
    try {
      await before();
      await this.takeUp(qemu);
    } catch (error) {
      if (this.qemu !== qemu) return;
      const { pid } = qemu.process.identity;
      this.log.warn({ vm: this.id, pid, error: messageOf(error) }, "a QEMU that runs could not be taken up");
      this.phase = "silent";
      this.unresponsive();
    }
  }

  /**
   * QEMU answers: see to it that what must hold while the guest runs does, then let the guest run.
   * @param isOurs whether this agent has just started it
   */
  private async takeUp(qemu: RunningQemu, isOurs = false): Promise<void> {
    this.phase = "starting";
    const status = await qemu.status();
    // The agent that was to send it a memory is no more.
    if (status === "inmigrate" && !isOurs) {
      return this.finish({ state: "stopped", stoppedBy: "request", reason: "The agent ended while it was restored." });
    }
    const isNew = isOurs || status === "prelaunch";
    if (!isNew) {
      // One that an agent before this one had begun: it is begun again by whoever still wants it.
      await cancelStream(qemu);
      await settleDisk(this.context, this.spec(), qemu, this.record);
    }
    await closeRunFolder(this.paths, this.context.users.userOf(this.id));
    await this.takeSerialPort(qemu, isNew);
    this.watch.begin(qemu);
    if (isNew) await qemu.execute("cont");
    else this.inBackground("looking for a disc that was ejected", this.onTrayOpened);
    if (this.record.state.isHeld) await this.holdEnding.letGoOn(qemu);
    else this.holdEnding.thawIfFrozen();
    this.phase = "up";
    await this.forwards.settle(qemu);
    await qemu.status();
    this.watch.reached("started");
    await this.guestRequest.goOn();
  }

  /** Brings the forwards of a VM that runs to what is wanted now; one that isn't up yet has them when it is. */
  async settleForwards(): Promise<void> {
    if (this.phase === "up" && this.qemu !== null) await this.forwards.settle(this.qemu);
  }

  /** The channel to the agent in the guest; null while the VM is off. */
  get guestAgent(): GuestAgent | null {
    return this.watch.guestAgent;
  }

  /** A guest must not run before its port is held; one that runs already goes on without, if need be. */
  private async takeSerialPort(qemu: RunningQemu, isNew: boolean): Promise<void> {
    const attached = this.serial.attach(this.paths.serialQemu, () => this.qemu === qemu);
    if (isNew) return attached;
    this.serial.note("the agent was away: what the guest said meanwhile is not here");
    await attached.catch((error: unknown) => {
      this.log.warn({ vm: this.id, error: messageOf(error) }, "the serial port of a VM that runs can't be had");
    });
  }

  private onStatus(status: string): void {
    const { qemu } = this;
    if (qemu !== null && this.phase === "silent") {
      this.phase = "starting";
      this.inBackground("taking up a QEMU that answers again", () => this.tryTakeUp(qemu));
    }
    if (this.phase !== "up") return;
    const runState = runStateOf(status);
    const { kind, reason } = runState;
    if (this.record.state.isHeld && qemu !== null) this.holdEnding.letGoOnSoon(qemu);
    // A moment's stop for a snapshot is no pause of the VM's.
    if (kind === "paused" && this.record.state.isHeld) return;
    if (kind === "running" || kind === "paused") {
      this.record.see({ state: kind, reason });
      if (status === "io-error" && qemu !== null) this.watch.waitForSpace(qemu);
      return;
    }
    this.record.see({ state: "running", reason: reason ?? "The guest turned itself off." });
    this.ending.guestIsOver(runState);
  }

  private onEvent(event: QmpEvent): void {
    if (event.name === "SHUTDOWN" && event.data.reason === "host-signal") this.wasSignalled = true;
    if (isTrayOpened(event)) this.inBackground("taking out a disc that was ejected", this.onTrayOpened);
    if (event.name !== "RESET" || !this.watch.isNewBoot(event)) return;
    this.guestRequest.cancel();
    this.watch.bootAnew();
  }

  private unresponsive(): void {
    if (this.phase === "starting") return;
    this.record.see({ state: "unresponsive", reason: "QEMU lives but doesn't answer: it was stopped, or hangs." });
  }

  private onGone(end: ProcessEnd | null): void {
    this.letGo();
    if (this.isLaunching) return;
    this.record.see(null);
    const reason = reasonOfEnd(end, this.wasSignalled);
    const isCrash = this.record.state.intent === "running";
    this.serial.note(`off ${new Date().toISOString()}`);
    void this.record.note((state) => {
      const gone = { ...state, process: null, mayLeak: this.hadLeaks || end?.exitCode !== 0 };
      return isCrash ? withEnd(gone, { state: "crashed", stoppedBy: null, reason }) : gone;
    });
    if (!isCrash) return;
    this.log.error({ vm: this.id, reason }, "a VM's QEMU is gone");
    this.inBackground("removing what a crash left", async () => {
      if (this.qemu === null) await removeQemuSockets(this.paths);
    });
    this.repairLeaks();
  }

  private repairLeaks(): void {
    const disk = { context: this.context, id: this.id, machine: this.record };
    repairLeaksSoon(disk, () => this.qemu === null).catch((error: unknown) => {
      this.log.warn({ vm: this.id, error: messageOf(error) }, "the VM's disk can't be looked at for unused clusters");
    });
  }

  private letGo(): void {
    this.phase = "off";
    this.qemu = null;
    this.watch.close();
    this.forwards.letGo();
    this.guestRequest.cancel();
  }

  private async rebootByForce(): Promise<void> {
    if (this.record.state.pending?.act === "reboot") await this.qemu?.resetAndRun();
  }

  private async endFailedLaunch(): Promise<void> {
    await this.qemu?.end();
    this.letGo();
    this.record.see(null);
  }

  private inBackground(what: string, act: () => Promise<void>, after: () => void = () => {}): void {
    this.context
      .enqueue(this.id, act)
      .catch((error: unknown) => this.log.error({ vm: this.id, error: messageOf(error) }, `failed: ${what}`))
      .finally(after);
  }
}

function isTrayOpened({ name, data }: QmpEvent): boolean {
  return name === "DEVICE_TRAY_MOVED" && data.id === cdromId && data["tray-open"] === true;
}
