import type {
  BrokenForward,
  NetworkHost,
  NetworkState,
  NetworkStatus,
  ReachabilityCheck,
} from "../../domain/hostNetwork";
import type { MachineSpec, NetworkInterface, Observation } from "../../domain/machine";
import type { Namespace } from "./commands";
import type { UserForward } from "./userForwards";

/** What diagnosing knows of a VM. */
export interface DiagnosedVm {
  spec: Pick<MachineSpec, "id">;
  seen: Pick<Observation, "state" | "reason" | "link">;
  /** Forwards of its user-mode network that can't be had now. */
  brokenForwards: readonly BrokenForward[];
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
  /** Fingerprint of the state that is in effect; null when none is. */
  readonly applied: string | null;
  /** What VMs can't have though the networks are as they should be, in a sentence; null when there is nothing to say. */
  readonly warning: string | null;
  /** Takes over a whole state. Of it, the `user` driver can have forwards alone, but for VMs that still run on bridges. */
  apply(state: NetworkState): Promise<void>;
  status(): Promise<Omit<NetworkStatus, "brokenForwards">>;
  /** The ports that QEMU itself is to forward to a VM with a user-mode network; null: those that it has stay. */
  userForwardsOf(vmId: number): readonly UserForward[] | null;
  /** Where QEMU must run for these interfaces. Rejects with `unavailable` when one isn't in the state yet. */
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
