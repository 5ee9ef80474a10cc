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
  readonly problem = null;
  readonly warning = null;
  private timer: NodeJS.Timeout | undefined;
  private known: UserForwards = noForwards;
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
    const areLeft = await this.settleLeftovers();
    if (!areLeft) return;
    this.timer = setTimeout(() => void this.lookAfterLeftovers(), leftoversMs);
    this.timer.unref();
  }

  async apply(state: NetworkState): Promise<void> {
    const applied = networkFingerprint(state);
    if (applied === this.applied) return;
    await this.leftovers.apply(state);
    const known = { applied, forwards: userForwardsIn(state) };
    await writeUserForwards(this.settings.dataDir, known);
    this.known = known;
  }

  get applied(): string | null {
    return this.known.applied;
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
    return diagnoseForwarded(vm, link, port, this.userForwardsOf(vm.spec.id));
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
  }

  private async settleLeftovers(): Promise<boolean> {
    try {
      return await this.leftovers.settle();
    } catch (error) {
      this.log.error({ error: messageOf(error) }, "bridges of before could not be removed, or kept as they should be");
      return true;
    }
  }

  private refusal(): CumulusError {
    return new CumulusError("unavailable", `This host has user-mode networks only. ${this.reason}`);
  }
}
