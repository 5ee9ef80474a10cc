import { type CloudInitStatus, cloudInitStatusFile, parseCloudInitStatus } from "./cloudInitStatus";
import { type GuestAgent, GuestAgentError } from "./guestAgent";
import { readGuestFile } from "./guestFile";

const intervalMs = 3000;
/** A guest that hasn't set itself up by then is asked no more. */
const maxAttempts = 300;
/** Far more than the status of a first boot takes. */
const maxStatusBytes = 256 * 1024;

export interface CloudInitProbeOptions {
  guestAgent: GuestAgent;
  /** Whether the guest is known, from elsewhere, to be done: it is then asked once more. */
  isFinished(): boolean;
  onStatus(status: CloudInitStatus): void;
}

/** Asks the guest through its agent how far cloud-init is, until that is done. */
export class CloudInitProbe {
  private timer: NodeJS.Timeout | undefined;
  private attempts = 0;

  constructor(private readonly options: CloudInitProbeOptions) {
    void this.attempt();
  }

  stop(): void {
    this.attempts = maxAttempts;
    clearTimeout(this.timer);
  }

  private async attempt(): Promise<void> {
    this.attempts += 1;
    const isLast = this.options.isFinished();
    const status = await this.read();
    if (status) this.options.onStatus(status);
    if (isLast || status?.isFinished || this.attempts >= maxAttempts) return;
    this.timer = setTimeout(() => void this.attempt(), intervalMs);
  }

  private async read(): Promise<CloudInitStatus | undefined> {
    try {
      return parseCloudInitStatus(await readGuestFile(this.options.guestAgent, cloudInitStatusFile, maxStatusBytes));
    } catch (error) {
      // Some systems let their agent read no files. Whatever else a guest answers is no news, and no reason for the host to fail.
      if (error instanceof GuestAgentError && /disabled|not been found/.test(error.message)) this.stop();
      return undefined;
    }
  }
}
