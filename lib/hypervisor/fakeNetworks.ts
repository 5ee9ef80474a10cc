import {
  interfaceKey,
  type NetworkState,
  type NetworkStatus,
  noNetworks,
  type ReachabilityCheck,
} from "../domain/hostNetwork";
import type { Observation } from "../domain/machine";
import { networkFingerprint } from "../domain/networkFingerprint";
import type { TrafficReading } from "../domain/vmNetworking";
import { failed, ok, runningCheck } from "./network/checks";
import { loopback } from "./network/hostPorts";

export const fakeNetworkReason = "The fake hypervisor sends no packet.";

/** What the fake host pretends to have: a route, an address, and a program that listens. */
const fakeRoute = "172.31.0.0/16";
const fakeAddress = "172.31.0.2";
const fakeSocket = { address: fakeAddress, port: 22, protocol: "tcp" } as const;

/** What each VM that runs pretends to receive and to send, a second. */
const fakeRate = { receivedBytes: 4000, receivedPackets: 4, sentBytes: 1000, sentPackets: 2 };

/** Networks that are remembered and nothing else: every VM that runs is plugged in, and its counters go up with the time. */
export class FakeNetworks {
  applied: string | null = null;
  private state: NetworkState = noNetworks;
  private readonly startedAtMs = Date.now();

  constructor(
    private readonly driver: "bridge" | "user",
    private readonly observationOf: (vmId: number) => Observation,
  ) {}

  private isRunning(vmId: number): boolean {
    return this.observationOf(vmId).state === "running";
  }

  apply(state: NetworkState): void {
    this.state = this.driver === "user" ? noNetworks : state;
    this.applied = networkFingerprint(state);
  }

  status(): NetworkStatus {
    const interfaces = this.state.networks.flatMap(({ id, hosts }) =>
      hosts.map(({ vmId, interfaceId }) => ({
        vmId,
        interfaceId,
        networkId: id,
        isUp: this.isRunning(vmId),
        ...this.counters(vmId),
        leaseEndsAt: null,
        isAddressSeen: this.isRunning(vmId),
      })),
    );
    const occupiedCidrs = this.driver === "bridge" ? [fakeRoute] : [];
    return {
      driver: this.driver,
      reason: fakeNetworkReason,
      occupiedCidrs,
      addresses: this.driver === "bridge" ? [loopback, fakeAddress] : [loopback],
      listening: [fakeSocket],
      interfaces,
      brokenForwards: [],
    };
  }

  traffic(vmId: number): TrafficReading {
    const ids = this.state.networks.flatMap(({ hosts }) => hosts.filter((one) => one.vmId === vmId));
    const interfaces = this.isRunning(vmId)
      ? ids.map(({ interfaceId }) => ({ id: interfaceId, ...this.counters(vmId) }))
      : [];
    return { at: new Date().toISOString(), interfaces };
  }

  private counters(vmId: number) {
    const seconds = this.isRunning(vmId) ? (Date.now() - this.startedAtMs) / 1000 : 0;
    const { receivedBytes, receivedPackets, sentBytes, sentPackets } = fakeRate;
    return {
      receivedBytes: Math.round(receivedBytes * seconds),
      receivedPackets: Math.round(receivedPackets * seconds),
      sentBytes: Math.round(sentBytes * seconds),
      sentPackets: Math.round(sentPackets * seconds),
    };
  }

  /** Up to the port, on which nobody listens. */
  diagnose(vmId: number, interfaceId: string, port: number): ReachabilityCheck[] {
    const key = interfaceKey({ vmId, interfaceId });
    const rules = this.state.firewalls.find((one) => interfaceKey(one) === key)?.ingress ?? null;
    const rule = rules?.find(
      ({ protocol, ports }) =>
        (protocol === "tcp" || protocol === "any") &&
        (ports?.some(({ from, to }) => from <= port && port <= to) ?? true),
    );
    const checks = [
      runningCheck(this.observationOf(vmId)),
      ok("interface", `The VM's interface ${interfaceId} is plugged into its network.`),
      rules !== null && rule === undefined
        ? failed("firewall", `No rule lets in port ${port}.`, `Add a rule for TCP port ${port}.`)
        : { ...ok("firewall", "No firewall keeps it out."), ...(rule && { rule }) },
      failed("port", `Nothing listens on port ${port} of a fake VM.`, "Use a host that doesn't pretend."),
    ];
    const end = checks.findIndex(({ outcome }) => outcome === "failed");
    return checks.slice(0, end + 1);
  }
}
