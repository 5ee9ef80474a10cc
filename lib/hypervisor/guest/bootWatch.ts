import type { TimelineStep } from "../../domain/timeline";
import { BootSignReader } from "./bootSigns";
import { GuestAgent } from "./guestAgent";
import { SshProbe } from "./sshProbe";

export interface BootWatchOptions {
  guestAgentSocket: string;
  sshHostPort: number | null;
  /** Whether this boot has reached a step already. */
  hasReached(step: TimelineStep): boolean;
  onReached(step: TimelineStep): void;
  onFirstBootError(message: string): void;
}

const impatientMs = 300;
const patientMs = 2500;
/** A guest that says nothing on its serial port is presumed to have a network by then. */
const silentBootMs = 20_000;
/** A guest agent that answers makes a VM ready without SSH, but gives SSH this long to be first. */
const agentAloneMs = 15_000;

/** Watches how far a guest's boot is: by its serial port, its SSH port and its agent. */
export class BootWatch {
  readonly guestAgent: GuestAgent;
  private readonly signs: BootSignReader;
  private probe: SshProbe | null = null;
  private agentTimer: NodeJS.Timeout | undefined;
  private bootedAtMs = Date.now();

  constructor(private readonly options: BootWatchOptions) {
    this.signs = new BootSignReader((sign) => {
      if ("step" in sign) options.onReached(sign.step);
      else options.onFirstBootError(sign.firstBootError);
    });
    this.guestAgent = new GuestAgent(options.guestAgentSocket, () => this.agentAnswered());
    this.watchSsh();
  }

  output(chunk: Buffer): void {
    this.signs.push(chunk);
  }

  /** The guest boots anew. */
  restart(): void {
    this.bootedAtMs = Date.now();
    clearTimeout(this.agentTimer);
    this.guestAgent.forget();
    this.watchSsh();
  }

  close(): void {
    clearTimeout(this.agentTimer);
    this.probe?.stop();
    this.guestAgent.close();
  }

  private watchSsh(): void {
    this.probe?.stop();
    const { sshHostPort, hasReached } = this.options;
    if (sshHostPort === null || hasReached("ssh")) return;
    const isNetworkLikely = () => hasReached("network") || Date.now() - this.bootedAtMs > silentBootMs;
    this.probe = new SshProbe(
      sshHostPort,
      () => (isNetworkLikely() ? patientMs : impatientMs),
      () => this.ready(),
    );
  }

  private agentAnswered(): void {
    if (this.options.sshHostPort === null) this.ready();
    else this.agentTimer = setTimeout(() => this.ready(), agentAloneMs);
  }

  private ready(): void {
    clearTimeout(this.agentTimer);
    this.probe?.stop();
    this.options.onReached("ssh");
  }
}
