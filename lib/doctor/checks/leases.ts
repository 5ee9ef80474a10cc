import { join } from "node:path";
import { isWithin } from "../../domain/cidrs";
import type { Disagreement, NetworkFact, Snapshot } from "../snapshot";
import { nameOfId, tellOfNetworks as tell } from "./words";

/**
 * Addresses are leased to the interfaces that have them. A guest that is destroyed gives no lease back: one of an address in quarantine is as it should be, and one
 * outside of the network's range is in nobody's way.
 */
export function checkLeases(snapshot: Snapshot, { written, leases }: NetworkFact): Disagreement[] {
  const all = written.networks.flatMap(({ hosts }) => hosts);
  return leases.flatMap((lease) => {
    const { networkId, mac, ipv4, endsAt } = lease;
    const network = written.networks.find(({ id }) => id === networkId);
    const holder = network?.hosts.find((host) => host.ipv4 === ipv4);
    if (network === undefined || holder?.mac === mac) return [];
    const other = all.find((host) => host.mac === mac);
    const again = other && `stop ${nameOfId(snapshot, other.vmId)} and start it again.`;
    const leased = `The address ${ipv4} is leased to ${mac}`;
    if (holder !== undefined) {
      const whose = other ? nameOfId(snapshot, other.vmId) : "an interface that is gone";
      const advice = again ?? `it can have the address by DHCP once that lease ends, at ${endsAt}.`;
      const message = `${leased} of ${whose}, and is ${nameOfId(snapshot, holder.vmId)}'s: ${advice}`;
      return [tell(`lease ${ipv4}`, message)];
    }
    // Of a VM that is on this network no more, since it runs with a user-mode one.
    if (isInterfaces(snapshot, lease)) return [];
    if (isInQuarantine(snapshot, lease) || !isWithin(ipv4, network.cidr)) return [];
    const message =
      other === undefined
        ? `${leased}, which no VM has, nor had lately as far as the database knows: until ${endsAt}, when the lease ends, no VM gets the address by DHCP. If it is there again then, see what writes to ${leaseFile(snapshot, networkId)}, for Cumulus' name servers give addresses to VMs alone.`
        : `${leased} of ${nameOfId(snapshot, other.vmId)}, whose address is ${other.ipv4}: ${again}`;
    return [tell(`lease ${ipv4}`, message)];
  });
}

function isInterfaces({ interfaces }: Snapshot, { networkId, ipv4, mac }: NetworkFact["leases"][number]): boolean {
  return interfaces.some((one) => one.networkId === networkId && one.ipv4 === ipv4 && one.mac === mac);
}

function isInQuarantine({ addresses }: Snapshot, { networkId, ipv4 }: { networkId: number; ipv4: string }): boolean {
  return addresses.some((one) => one.isReleased && one.networkId === networkId && one.ipv4 === ipv4);
}

function leaseFile({ paths }: Snapshot, networkId: number): string {
  return join(paths.runDir, "network", String(networkId), "leases");
}
