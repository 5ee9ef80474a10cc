import type { GuestAgent } from "../guest/guestAgent";
import type { MachineRecord } from "../machineRecord";
import type { RunningQemu } from "../runningQemu";
import { releaseGuest, thawWhenAnswering } from "./heldGuest";

export interface HoldEndingOptions {
  record: MachineRecord;
  qemu(): RunningQemu | null;
  guestAgent(): GuestAgent | null;
  inBackground(what: string, act: () => Promise<void>, after: () => void): void;
}

/** Ends what a guest is held for when whoever held it didn't: an agent before this one, or this one while QEMU didn't answer. */
export class HoldEnding {
  private isLettingGoOn = false;
  /** The one whose guest is being thawed. */
  private thawing: RunningQemu | null = null;

  constructor(private readonly options: HoldEndingOptions) {}

  /** In its turn, when a snapshot that holds the guest is over: one that QEMU didn't answer has left the guest as it was. */
  letGoOnSoon(qemu: RunningQemu): void {
    const { record, inBackground } = this.options;
    if (this.isLettingGoOn) return;
    this.isLettingGoOn = true;
    inBackground(
      "letting a guest go on that was held",
      async () => {
        if (this.options.qemu() === qemu && record.state.isHeld) await this.letGoOn(qemu);
      },
      () => {
        this.isLettingGoOn = false;
      },
    );
  }

  /** What can't be ended yet is to be tried again at each status. */
  async letGoOn(qemu: RunningQemu): Promise<void> {
    if (!(await releaseGuest(qemu))) return;
    await this.options.record.note((state) => ({ ...state, isHeld: false }));
    this.thawIfFrozen();
  }

  /** In the background, whenever the guest answers: until it is off, or held for a snapshot again, whose end does this anew. */
  thawIfFrozen(): void {
    const { record, guestAgent } = this.options;
    const qemu = this.options.qemu();
    if (!record.state.mayBeFrozen || qemu === null || this.thawing === qemu) return;
    this.thawing = qemu;
    const isOurs = () => this.options.qemu() === qemu && !record.state.isHeld;
    void thawWhenAnswering(() => (isOurs() ? guestAgent() : null)).then(async (isThawed) => {
      if (this.thawing === qemu) this.thawing = null;
      if (isThawed && isOurs()) await record.note((state) => ({ ...state, mayBeFrozen: false }));
    });
  }
}
