import { CumulusError, messageOf } from "../../domain/errors";
import type { NetworkState, NetworkStatus, ReachabilityCheck } from "../../domain/hostNetwork";
import type { NetworkInterface } from "../../domain/machine";
import { networkFingerprint } from "../../domain/networkFingerprint";
import type { Settings } from "../../env";
import type { Log } from "../../system/log";
import type { UserScheme } from "../../system/machineUsers";
import { BridgeLeftovers } from "./bridgeLeftovers";
import type { Namespace } from "./commands";
import { diagnoseForwarded } from "./diagnose";
import type { DiagnosedVm, HostNetworks } from "./hostNetworks";
import { loopback } from "./hostPorts";
import {
  noForwards,
  readUserForwards,
  type UserForward,
  type UserForwards,
  userForwardsIn,
  writeUserForwards,
} from "./userForwards";

/** How often it is looked whether VMs still run on bridges of before. */
const leftoversMs = 10_000;

/** QEMU's own user-mode networks: each VM has one to itself, and there is nothing to make on the host. What is kept of a state are the forwards, which QEMU makes, and what is about VMs on bridges of before. */
export class UserNetworks implements HostNetworks {
  readonly driver = "user";
  problem: string | null = null;
  readonly warning = null;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  /** As they are on the disk. */
  private known: UserForwards = noForwards;
  /** What they are once the bridges of before have what they were told last; null while that is being written down. */
  private asked: UserForwards | null = null;
  private writing: Promise<void> = Promise.resolve();
  private readonly leftovers: BridgeLeftovers;

  constructor(
    private readonly settings: Settings,
    users: UserScheme,
    private readonly log: Log,
    readonly reason: string,
  ) {
    this.leftovers = new BridgeLeftovers(settings, users, log);
  }

  async recover(): Promise<void> {
    try {
      this.known = await readUserForwards(this.settings.dataDir);
    } catch (error) {
      this.log.error({ error: messageOf(error) }, "the forwards of before can't be read; the console tells them anew");
    }
    await this.lookAfterLeftovers();
  }

  private async lookAfterLeftovers(): Promise<void> {
    const areLeft = await this.settle(this.asked, () => this.leftovers.settle()).catch(() => true);
    if (!areLeft || this.isClosed) return;
    this.timer = setTimeout(() => void this.lookAfterLeftovers(), leftoversMs);
    this.timer.unref();
  }

  /** The forwards first: they need nothing of what VMs on bridges of before do. */
  async apply(state: NetworkState): Promise<void> {
    const asked = { applied: networkFingerprint(state), forwards: userForwardsIn(state) };
    this.asked = null;
    if (asked.applied !== this.known.applied) await this.keep({ ...asked, applied: null });
    this.asked = asked;
    await this.settle(asked, () => this.leftovers.apply(state));
  }

  /** What is asked for counts as applied once the bridges of before have it, also for the agent after this one. @returns as `BridgeLeftovers.settle` */
  private async settle(asked: UserForwards | null, bringAbout: () => Promise<boolean>): Promise<boolean> {
    const areLeft = await this.noting(bringAbout);
    if (asked !== null && asked === this.asked && asked.applied !== this.known.applied) await this.keep(asked);
    return areLeft;
  }

  /** One after the other, so that what was asked for last is what stays. */
  private keep(forwards: UserForwards): Promise<void> {
    const kept = this.writing.then(async () => {
      await writeUserForwards(this.settings.dataDir, forwards);
      this.known = forwards;
    });
    this.writing = kept.catch(() => undefined);
    return kept;
  }

  get applied(): string | null {
    return this.problem === null ? this.known.applied : null;
  }

  userForwardsOf(vmId: number): readonly UserForward[] {
    return this.known.forwards.filter((forward) => forward.vmId === vmId);
  }

  async status(): Promise<Omit<NetworkStatus, "brokenForwards">> {
    return {
      driver: this.driver,
      reason: this.reason,
      occupiedCidrs: [],
      addresses: [loopback],
      listening: [],
      interfaces: [],
    };
  }

  async namespaceFor(_vmId: number, interfaces: readonly NetworkInterface[]): Promise<Namespace> {
    if (interfaces.some(({ driver }) => driver === "bridge")) throw this.refusal();
    return null;
  }

  async diagnose(vm: DiagnosedVm, link: NetworkInterface, port: number): Promise<ReachabilityCheck[]> {
    const runsOn = vm.seen.link?.driver ?? link.driver;
    if (runsOn === "bridge") return this.leftovers.diagnose(vm, link, port);
    return diagnoseForwarded(vm, link, port, this.userForwardsOf(vm.spec.id));
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.leftovers.close();
  }

  /** What goes wrong with the bridges of before is kept as the problem until something goes right. */
  private async noting(settle: () => Promise<boolean>): Promise<boolean> {
    try {
      const areLeft = await settle();
      this.problem = null;
      return areLeft;
    } catch (error) {
      const problem = `Bridges of before could not be removed, or kept as they should be: ${messageOf(error)}`;
      if (problem !== this.problem) this.log.error({}, problem);
      this.problem = problem;
      throw error;
    }
  }

  private refusal(): CumulusError {
    return new CumulusError("unavailable", `This host has user-mode networks only. ${this.reason}`);
  }
}
