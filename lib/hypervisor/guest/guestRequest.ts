import { messageOf } from "../../domain/errors";
import type { Log } from "../../system/log";
import type { MachineState } from "../machineState";
import type { RunningQemu } from "../runningQemu";
import type { GuestAgent } from "./guestAgent";

export interface GuestRequestOptions {
  id: number;
  log: Log;
  pending(): MachineState["pending"];
  qemu(): RunningQemu | null;
  guestAgent(): GuestAgent | null;
  /** A reboot that is pending hasn't come by its deadline. */
  onDeadline(): void;
}

const pressAgainMs = 4000;
const maxPresses = 15;

/** Asks a guest to shut down or reboot, and sees to it that what it was asked for is not forgotten. */
export class GuestRequest {
  private deadline: NodeJS.Timeout | undefined;
  private nextPress: NodeJS.Timeout | undefined;

  constructor(private readonly options: GuestRequestOptions) {}

  /** Asks for what is pending: a reboot by the guest's agent where that answers, everything else by the ACPI power button. */
  async begin(): Promise<void> {
    this.armDeadline();
    const agent = this.options.guestAgent();
    if (this.options.pending()?.act !== "reboot" || !agent?.isAlive) return this.press(1);
    // The agent's silence means success, and takes a while to be sure of.
    void agent.reboot().then((isOnItsWay) => {
      if (!isOnItsWay) this.pressInBackground(1);
    });
  }

  /** Goes on with what an agent before this one began. */
  async goOn(): Promise<void> {
    this.armDeadline();
    if (this.options.pending() !== null) await this.press(1);
  }

  cancel(): void {
    clearTimeout(this.deadline);
    clearTimeout(this.nextPress);
  }

  private armDeadline(): void {
    clearTimeout(this.deadline);
    const pending = this.options.pending();
    if (pending?.act !== "reboot") return;
    const delayMs = Math.max(0, Date.parse(pending.deadlineAt) - Date.now());
    this.deadline = setTimeout(() => this.options.onDeadline(), delayMs);
  }

  /** Presses the power button, and again later: a guest that isn't far enough in its boot misses it. */
  private async press(count: number): Promise<void> {
    clearTimeout(this.nextPress);
    if (this.options.pending() === null) return;
    if (count < maxPresses) this.nextPress = setTimeout(() => this.pressInBackground(count + 1), pressAgainMs);
    await this.options.qemu()?.execute("system_powerdown");
  }

  private pressInBackground(count: number): void {
    this.press(count).catch((error: unknown) => {
      this.options.log.debug({ vm: this.options.id, error: messageOf(error) }, "the power button could not be pressed");
    });
  }
}
