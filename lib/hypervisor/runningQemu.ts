import { readFile, stat, truncate } from "node:fs/promises";
import { CumulusError } from "../domain/errors";
import { failpoint } from "../failpoints";
import { isAlive } from "../system/platform";
import type { MachinePaths } from "./machinePaths";
import { type ProcessEnd, type QemuProcess, signalQemu } from "./qemu/process";
import type { QmpEvent } from "./qmp/client";
import { Monitor } from "./qmp/monitor";

export interface RunningHandlers {
  /** QEMU's run state, whenever it was asked. */
  onStatus(status: string): void;
  onEvent(event: QmpEvent): void;
  onSilent(): void;
  /** Once: the process is no more. `end` is null when nobody can know how. */
  onGone(end: ProcessEnd | null): void;
}

/** After these events QEMU's run state may be another. */
const statusEvents = new Set(["STOP", "RESUME", "SHUTDOWN", "SUSPEND", "WAKEUP", "RESET", "BLOCK_IO_ERROR"]);

const quitMs = 1500;
/** A QEMU that took "quit" still writes what its disks have in memory: on a slow disk that is long. */
const flushMs = 30_000;
/** How long a process whose connections are closed may take to be gone. */
const closeMs = 300;
const termMs = 2000;
const killMs = 10_000;
const pictureMs = 2000;
const maxPictureBytes = 64 * 1024 * 1024;
const maxLogBytes = 1024 * 1024;

/** A QEMU that lives: its process and the connection to it, until it is gone. Only `end` ends the process; letting go of this object doesn't. */
export class RunningQemu {
  private readonly monitor: Monitor;
  private picture: Promise<Buffer> | null = null;
  private isGone = false;
  private isReleased = false;
  private hasTurnedOff = false;
  private readonly resetWaiters = new Set<() => void>();
  private readonly goneWaiters = new Set<() => void>();
  private readonly eventListeners = new Set<(event: QmpEvent) => void>();

  constructor(
    readonly process: QemuProcess,
    private readonly uuid: string,
    private readonly paths: MachinePaths,
    private readonly handlers: RunningHandlers,
  ) {
    this.monitor = new Monitor([paths.qmp, paths.rescue], uuid, {
      onStatus: (status) => handlers.onStatus(this.inTruth(status)),
      onEvent: (event) => this.onEvent(event),
      onSilent: () => void this.silent(),
      onLost: () => void this.lost(),
    });
    void process.ended?.then((end) => this.gone(end));
  }

  get hasEnded(): boolean {
    return this.isGone;
  }

  connect(timeoutMs: number): Promise<void> {
    return this.monitor.connect(timeoutMs);
  }

  /** Goes on connecting in the background. */
  keepConnecting(): void {
    this.monitor.resume();
  }

  /** Rejects with `QmpError`. */
  execute(command: string, args: object = {}, timeoutMs?: number): Promise<unknown> {
    return this.monitor.execute(command, args, timeoutMs);
  }

  /** Calls the listener on every event until the returned function is called. */
  onEvents(listener: (event: QmpEvent) => void): () => void {
    this.eventListeners.add(listener);
    return () => this.eventListeners.delete(listener);
  }

  /** Whether the guest has turned itself off, since this was here. */
  get isGuestOff(): boolean {
    return this.hasTurnedOff;
  }

  async status(timeoutMs?: number): Promise<string> {
    return this.inTruth(await this.monitor.status(timeoutMs));
  }

  /** A guest that turned itself off while its memory was sent is off yet, whatever QEMU says at the end of that. */
  private inTruth(status: string): string {
    return this.hasTurnedOff && (status === "finish-migrate" || status === "postmigrate") ? "shutdown" : status;
  }

  /** Resets the guest and lets it run, from whatever state; also from "powered off". */
  async resetAndRun(): Promise<void> {
    const wasReset = this.nextReset(5000);
    await this.execute("system_reset");
    await wasReset;
    // A guest that stood still is reset and stands still yet.
    if ((await this.status()) !== "running") await this.execute("cont");
    await this.status();
  }

  /** The screen as PNG. Several that ask at once get one picture. */
  screenshot(): Promise<Buffer> {
    this.picture ??= this.takePicture().finally(() => {
      this.picture = null;
    });
    return this.picture;
  }

  /** QMP quit, then SIGTERM, then SIGKILL; resolves when the process is gone. */
  async end(): Promise<void> {
    const hasTakenQuit = await this.execute("quit", {}, quitMs).then(
      () => true,
      () => false,
    );
    failpoint("agent.stop.quit-sent");
    if (await this.isGoneWithin(hasTakenQuit ? flushMs : closeMs)) return;
    await this.signal("SIGTERM");
    if (await this.isGoneWithin(termMs)) return;
    await this.signal("SIGKILL");
    if (await this.isGoneWithin(killMs)) return;
    const { pid } = this.process.identity;
    throw new CumulusError(
      "unavailable",
      `QEMU (process ${pid}) doesn't end, not even by SIGKILL: most likely it waits for a disk of the host that doesn't answer.`,
    );
  }

  /** Lets go without ending it. */
  release(): void {
    this.isReleased = true;
    this.monitor.close();
  }

  /** Keeps what QEMU says from filling a disk; to be called every now and then. */
  async trimLog(): Promise<void> {
    const { size } = await stat(this.paths.qemuLog);
    if (size > maxLogBytes) await truncate(this.paths.qemuLog, 0);
  }

  private signal(signal: NodeJS.Signals): Promise<boolean> {
    return signalQemu(this.process.identity, { uuid: this.uuid, runFolder: this.paths.runFolder }, signal);
  }

  private onEvent(event: QmpEvent): void {
    if (event.name === "SHUTDOWN") this.hasTurnedOff = true;
    if (event.name === "RESET") {
      this.hasTurnedOff = false;
      for (const waiter of this.resetWaiters) waiter();
    }
    for (const listener of [...this.eventListeners]) listener(event);
    this.handlers.onEvent(event);
    // Its failure shows at the next heartbeat.
    if (statusEvents.has(event.name)) this.status().catch(() => undefined);
  }

  private nextReset(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.resetWaiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.resetWaiters.add(done);
    });
  }

  private async silent(): Promise<void> {
    if (!(await this.isGoneWithin(0))) this.handlers.onSilent();
  }

  /** A process closes its connections a moment before it is gone. */
  private async lost(): Promise<void> {
    if (!(await this.isGoneWithin(closeMs))) this.monitor.resume();
  }

  private async isGoneWithin(timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    while (!this.isGone) {
      if (!(await isAlive(this.process.identity))) {
        const end = this.process.ended === null ? null : await this.process.ended;
        this.gone(end);
      } else if (Date.now() >= deadline) return false;
      else await this.goneOr(25);
    }
    return true;
  }

  private goneOr(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.goneWaiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.goneWaiters.add(done);
    });
  }

  private gone(end: ProcessEnd | null): void {
    if (this.isGone) return;
    this.isGone = true;
    this.monitor.close();
    for (const waiter of this.goneWaiters) waiter();
    if (!this.isReleased) this.handlers.onGone(end);
  }

  private async takePicture(): Promise<Buffer> {
    await this.execute("screendump", { filename: this.paths.screen, format: "png" }, pictureMs);
    const { size } = await stat(this.paths.screen);
    if (size > maxPictureBytes) throw new CumulusError("internal", "QEMU's picture of the screen is far too large.");
    return readFile(this.paths.screen);
  }
}
