import { CumulusError } from "../../domain/errors";
import type { NetworkState, NetworkStatus, ReachabilityCheck } from "../../domain/hostNetwork";
import type { NetworkInterface } from "../../domain/machine";
import type { Namespace } from "./commands";
import { diagnoseForwarded } from "./diagnose";
import type { DiagnosedVm, HostNetworks } from "./hostNetworks";

/** QEMU's own user-mode networks: each VM has one to itself, and there is nothing to make on the host. */
export class UserNetworks implements HostNetworks {
  readonly driver = "user";
  readonly problem = null;

  constructor(readonly reason: string) {}

  async recover(): Promise<void> {}

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

  async close(): Promise<void> {}

  private refusal(): CumulusError {
    return new CumulusError("unavailable", `This host has user-mode networks only. ${this.reason}`);
  }
}
