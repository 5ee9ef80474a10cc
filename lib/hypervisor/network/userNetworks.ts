import { CumulusError, messageOf } from "../../domain/errors";
import type { NetworkState, NetworkStatus, ReachabilityCheck } from "../../domain/hostNetwork";
import type { NetworkInterface } from "../../domain/machine";
import type { Settings } from "../../env";
import type { Log } from "../../system/log";
import { removeUnusedBridges } from "./bridgeLeftovers";
import type { Namespace } from "./commands";
import { diagnoseForwarded } from "./diagnose";
import type { DiagnosedVm, HostNetworks } from "./hostNetworks";

/** How often it is looked whether VMs still run on bridges of before. */
const leftoversMs = 10_000;

/** QEMU's own user-mode networks: each VM has one to itself, and there is nothing to make on the host. */
export class UserNetworks implements HostNetworks {
  readonly driver = "user";
  readonly problem = null;
  readonly applied = null;
  readonly warning = null;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly settings: Pick<Settings, "dataDir" | "runDir">,
    private readonly log: Log,
    readonly reason: string,
  ) {}

  async recover(): Promise<void> {
    const areLeft = await this.removeLeftovers();
    if (!areLeft) return;
    this.timer = setTimeout(() => void this.recover(), leftoversMs);
    this.timer.unref();
  }

  async apply({ networks }: NetworkState): Promise<void> {
    if (networks.length > 0) throw this.refusal();
  }

  async status(): Promise<NetworkStatus> {
    return {
      driver: this.driver,
      reason: this.reason,
      occupiedCidrs: [],
      addresses: [],
      listening: [],
      interfaces: [],
    };
  }

  async namespaceFor(_vmId: number, interfaces: readonly NetworkInterface[]): Promise<Namespace> {
    if (interfaces.some(({ driver }) => driver === "bridge")) throw this.refusal();
    return null;
  }

  async diagnose(vm: DiagnosedVm, link: NetworkInterface, port: number): Promise<ReachabilityCheck[]> {
    return diagnoseForwarded(vm, link, port);
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
  }

  private async removeLeftovers(): Promise<boolean> {
    try {
      return await removeUnusedBridges(this.settings);
    } catch (error) {
      this.log.error({ error: messageOf(error) }, "bridges of before could not be removed");
      return true;
    }
  }

  private refusal(): CumulusError {
    return new CumulusError("unavailable", `This host has user-mode networks only. ${this.reason}`);
  }
}
