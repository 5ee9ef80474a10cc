import { type FirstBootReport, withKeyUser, withProblem, withStage } from "../../domain/firstBootReport";
import type { TimelineStep } from "../../domain/timeline";
import { type BootSign, BootSignReader } from "./bootSigns";
import { CloudInitProbe } from "./cloudInitProbe";
import { type CloudInitStatus, withCloudInitStatus } from "./cloudInitStatus";
import { GuestAgent } from "./guestAgent";
import { SshProbe, type SshTarget } from "./sshProbe";

export interface BootWatchOptions {
  guestAgentSocket: string;
  /** Where the host finds the guest's SSH server. */
  ssh: SshTarget | null;
  /** Whether the server answers within its network, past a firewall that keeps the host out; null where there is none. */
  askSshWithin: (() => Promise<boolean>) | null;
  /** Whether this boot has reached a step already. */
  hasReached(step: TimelineStep): boolean;
  onReached(step: TimelineStep): void;
  /** What this boot's report becomes by what was just told. */
  onFirstBoot(change: (report: FirstBootReport) => FirstBootReport): void;
}

/**
 * How long a connection to the guest's SSH server may stay silent. Before the guest has a network a packet may be lost; once it has, who is silent is slow, as on an
 * emulated core that first boots: it greets the next one no sooner, and each takes of that core.
 */
const patienceMs = { "no network": 300, "perhaps a network": 2_500, "a network": 20_000 };
/** A guest that says nothing on its serial port is presumed to have a network by then. */
const silentBootMs = 20_000;
/** A guest agent that answers makes a VM ready without SSH, but gives SSH this long to be first. */
const agentAloneMs = 15_000;

/** Watches how far a guest's boot is: by its serial port, its SSH port and its agent. */
export class BootWatch {
  readonly guestAgent: GuestAgent;
  private readonly signs: BootSignReader;
  private probe: SshProbe | null = null;
  private cloudInitProbe: CloudInitProbe | null = null;
  private agentTimer: NodeJS.Timeout | undefined;
  private bootedAtMs = Date.now();

  constructor(private readonly options: BootWatchOptions) {
    this.signs = new BootSignReader((sign) => this.onSign(sign));
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
    this.cloudInitProbe?.stop();
    this.watchSsh();
  }

  close(): void {
    clearTimeout(this.agentTimer);
    this.probe?.stop();
    this.cloudInitProbe?.stop();
    this.guestAgent.close();
  }

  private onSign(sign: BootSign): void {
    const { onReached, onFirstBoot } = this.options;
    if ("step" in sign) onReached(sign.step);
    else if ("stage" in sign) {
      const at = new Date().toISOString();
      onFirstBoot((report) => withStage(report, sign.stage, at));
    } else if ("keyUser" in sign) onFirstBoot((report) => withKeyUser(report, sign.keyUser));
    else if ("warning" in sign) onFirstBoot((report) => withProblem(report, "warnings", sign.warning));
    else onFirstBoot((report) => withProblem(report, "errors", sign.error));
  }

  private onCloudInit(status: CloudInitStatus): void {
    this.options.onFirstBoot((report) => withCloudInitStatus(report, status));
    if (status.isFinished) this.options.onReached("first-boot");
  }

  private watchSsh(): void {
    this.probe?.stop();
    const { ssh, hasReached } = this.options;
    if (ssh === null || hasReached("ssh")) return;
    const patience = () => {
      if (hasReached("network")) return patienceMs["a network"];
      const isPresumed = Date.now() - this.bootedAtMs > silentBootMs;
      return patienceMs[isPresumed ? "perhaps a network" : "no network"];
    };
    this.probe = new SshProbe(ssh, patience, () => this.ready(), this.options.askSshWithin);
  }

  private agentAnswered(): void {
    this.cloudInitProbe?.stop();
    this.cloudInitProbe = new CloudInitProbe({
      guestAgent: this.guestAgent,
      isFinished: () => this.options.hasReached("first-boot"),
      onStatus: (status) => this.onCloudInit(status),
    });
    if (this.options.ssh === null) this.ready();
    else this.agentTimer = setTimeout(() => this.ready(), agentAloneMs);
  }

  private ready(): void {
    clearTimeout(this.agentTimer);
    this.probe?.stop();
    this.options.onReached("ssh");
  }
}
