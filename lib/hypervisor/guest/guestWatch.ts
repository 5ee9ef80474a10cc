import { messageOf } from "../../domain/errors";
import type { FirstBootReport } from "../../domain/firstBootReport";
import { liveLinkOf, type MachineSpec } from "../../domain/machine";
import type { TimelineStep } from "../../domain/timeline";
import type { Log } from "../../system/log";
import type { MachinePaths } from "../machinePaths";
import type { MachineRecord } from "../machineRecord";
import { withNewBoot } from "../machineState";
import { hasSshBanner } from "../network/sshBanner";
import type { QmpEvent } from "../qmp/client";
import type { RunningQemu } from "../runningQemu";
import { SpaceWait } from "../spaceWait";
import { BootWatch } from "./bootWatch";
import type { GuestAgent } from "./guestAgent";

export interface GuestWatchOptions {
  spec(): MachineSpec;
  record: MachineRecord;
  paths: MachinePaths;
  /** The namespace of the bridges, where a guest that is on one of them is asked past its firewall. */
  namespace: string;
  log: Log;
}

const logTrimMs = 30_000;
const doubleResetMs = 3000;

/**
 * Looks after a guest from `begin` to `close`, while its QEMU runs: notes what its boot has reached, tells its resets apart, waits with it for
 * disk space, and keeps QEMU's log small.
 */
export class GuestWatch {
  private readonly id: number;
  private readonly spaceWait: SpaceWait;
  private bootWatch: BootWatch | null = null;
  private trimTimer: NodeJS.Timeout | undefined;
  private resetAtMs = 0;
  /** Whether the guest said anything since it was last reset. */
  private hasSpoken = false;

  constructor(private readonly options: GuestWatchOptions) {
    this.id = options.spec().id;
    this.spaceWait = new SpaceWait(this.id, options.paths.folder, options.log);
  }

  /** The channel to the agent in the guest; null while nothing is watched. */
  get guestAgent(): GuestAgent | null {
    return this.bootWatch?.guestAgent ?? null;
  }

  /** Begins to watch, or goes on with the boot that is watched already. */
  begin(qemu: RunningQemu): void {
    this.bootWatch ??= this.watchBoot();
    clearInterval(this.trimTimer);
    this.trimTimer = setInterval(() => {
      qemu.trimLog().catch((error: unknown) => {
        this.options.log.warn({ vm: this.id, error: messageOf(error) }, "qemu.log");
      });
    }, logTrimMs);
  }

  close(): void {
    this.bootWatch?.close();
    this.bootWatch = null;
    this.spaceWait.cancel();
    clearInterval(this.trimTimer);
  }

  /** What the guest says on its serial port. */
  output(chunk: Buffer): void {
    this.hasSpoken = true;
    this.bootWatch?.output(chunk);
  }

  /** QEMU holds the guest because the host's disk is full. */
  waitForSpace(qemu: RunningQemu): void {
    this.spaceWait.begin(qemu);
  }

  /** Whether a reset begins a boot. SeaBIOS answers a warm reset with a hard one: two resets, one boot. */
  isNewBoot(reset: QmpEvent): boolean {
    const isSecond = reset.data.guest === true && !this.hasSpoken && Date.now() - this.resetAtMs < doubleResetMs;
    this.resetAtMs = Date.now();
    this.hasSpoken = false;
    return !isSecond;
  }

  /** The guest was reset, and boots anew. */
  bootAnew(): void {
    void this.options.record.note((state) => withNewBoot(state, "reset"));
    this.bootWatch?.restart();
  }

  reached(step: TimelineStep): void {
    const { record } = this.options;
    if (record.state.milestones[step] !== undefined) return;
    const at = new Date().toISOString();
    void record.note((state) => ({ ...state, milestones: { ...state.milestones, [step]: at } }));
  }

  private watchBoot(): BootWatch {
    const { spec, record, paths, namespace } = this.options;
    const link = liveLinkOf(spec(), record.state);
    return new BootWatch({
      guestAgentSocket: paths.guestAgent,
      ssh: link,
      askSshWithin: link?.driver === "bridge" ? () => hasSshBanner(namespace, link) : null,
      hasReached: (step) => record.state.milestones[step] !== undefined,
      onReached: (step) => this.reached(step),
      onFirstBoot: (change) => this.noteFirstBoot(change),
    });
  }

  private noteFirstBoot(change: (report: FirstBootReport) => FirstBootReport): void {
    const { record } = this.options;
    const firstBoot = change(record.state.firstBoot);
    if (firstBoot !== record.state.firstBoot) void record.note((state) => ({ ...state, firstBoot }));
  }
}
