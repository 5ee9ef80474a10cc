import { failpoint } from "../failpoints";
import type { Log } from "../system/log";
import { removeQemuSockets } from "./folders";
import { keepLastScreen } from "./lastScreen";
import type { MachinePaths } from "./machinePaths";
import type { MachineRecord } from "./machineRecord";
import { type MachineState, withEnd } from "./machineState";
import type { RunState } from "./qemu/runState";
import type { RunningQemu } from "./runningQemu";

export interface EndingOptions {
  id: number;
  record: MachineRecord;
  paths: MachinePaths;
  log: Log;
  qemu(): RunningQemu | null;
  /** Carries out an act when its turn comes, and then `after`, however it went. */
  inBackground(what: string, act: () => Promise<void>, after: () => void): void;
}

/** How a VM's QEMU that has run is ended: the reason is noted first, so that an agent that comes back goes on with it. */
export class Ending {
  private isUnderWay = false;

  constructor(private readonly options: EndingOptions) {}

  /**
   * Ends QEMU, for a reason that is noted first, and keeps the last picture of the screen. Done when it is gone. Where a crash has ended it
   * before, a stop that is asked for is noted: the crash has been dealt with.
   */
  async finish(ended: MachineState["ended"], endedCleanly = false): Promise<void> {
    const { id, record, paths, log } = this.options;
    const qemu = this.options.qemu();
    if (qemu === null) {
      const isCrashDealtWith = ended.state === "stopped" && record.state.ended.state === "crashed";
      if (isCrashDealtWith) await record.note((state) => withEnd(state, ended));
      return;
    }
    if (record.seen?.state !== "unresponsive") await keepLastScreen(qemu, paths, id, log);
    await record.note((state) => withEnd(state, ended, endedCleanly));
    failpoint("agent.stop.intent-written");
    await this.goOn();
  }

  /** Ends QEMU, for a reason that has been noted. */
  async goOn(): Promise<void> {
    await this.options.qemu()?.end();
    failpoint("agent.stop.gone");
    await removeQemuSockets(this.options.paths);
  }

  /** The guest is off or can't go on, and QEMU waits. */
  guestIsOver({ kind, reason }: RunState): void {
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    this.options.inBackground(
      "the end of a guest that is off",
      () => (kind === "off" ? this.guestTurnedOff() : this.finish({ state: "crashed", stoppedBy: null, reason })),
      () => {
        this.isUnderWay = false;
      },
    );
  }

  private async guestTurnedOff(): Promise<void> {
    const { pending } = this.options.record.state;
    const qemu = this.options.qemu();
    if (qemu === null || (await qemu.status()) !== "shutdown") return;
    if (pending?.act === "reboot") return qemu.resetAndRun();
    const stoppedBy = pending?.act === "shutdown" ? "request" : "guest";
    await this.finish({ state: "stopped", stoppedBy, reason: null }, true);
  }
}
