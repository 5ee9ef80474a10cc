import type { NetworkHost, NetworkState, NetworkStatus, ReachabilityCheck } from "../../domain/hostNetwork";
import type { MachineSpec, NetworkInterface, Observation } from "../../domain/machine";
import type { Namespace } from "./commands";

/** What diagnosing knows of a VM. */
export interface DiagnosedVm {
  spec: MachineSpec;
  seen: Pick<Observation, "state" | "reason">;
}

/** The networks of this computer, by one of two drivers: `bridge` (lib/hypervisor/network/bridgeNetworks.ts) or `user`, which is QEMU's own. */
export interface HostNetworks {
  readonly driver: "bridge" | "user";
  /** Why this driver, in a sentence. */
  readonly reason: string;
  /** Brings back what the last state says, and keeps it so. A failure is told in `problem`. */
  recover(): Promise<void>;
  /** What keeps the networks from being as they should, in a sentence; null when they are. */
  readonly problem: string | null;
  /** Fingerprint of the state that is in effect; null when none is, or the driver has none. */
  readonly applied: string | null;
  /** What VMs can't have though the networks are as they should be, in a sentence; null when there is nothing to say. */
  readonly warning: string | null;
  /** Takes over a whole state. `unavailable` where the driver can't have networks of its own. */
  apply(state: NetworkState): Promise<void>;
  status(): Promise<NetworkStatus>;
  /** Where QEMU must run for these interfaces. Rejects with `conflict` when one isn't in the state yet. */
  namespaceFor(vmId: number, interfaces: readonly NetworkInterface[]): Promise<Namespace>;
  diagnose(vm: DiagnosedVm, link: NetworkInterface, port: number): Promise<ReachabilityCheck[]>;
  /** Lets go without changing anything. */
  close(): Promise<void>;
}

/** An interface's place in a state, with its network. */
export function findHost(state: NetworkState, vmId: number, interfaceId: string) {
  for (const network of state.networks) {
    const host = network.hosts.find((one: NetworkHost) => one.vmId === vmId && one.interfaceId === interfaceId);
    if (host !== undefined) return { network, host };
  }
  return undefined;
}
