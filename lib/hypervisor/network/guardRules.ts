import { interfaceKey, type NetworkState } from "../../domain/hostNetwork";
import { linkLocalOf, tapName } from "./names";
import type { NftTable } from "./nftTable";

/** On top of a second's worth, which nft's bucket always holds: two of the largest packets that a virtual link carries. */
const burstBytes = 131_072;

/**
 * The first thing that a VM's frame meets: nothing passes that isn't plainly the VM's own. Ports of the bridges are VMs only, so that all frames here are from
 * VMs; what no rule names (VLAN tags, other ethertypes) is dropped. Pure.
 *
 * Neighbour advertisements aren't needed: the namespace knows its IPv6 neighbours by the control plane. Nor are duplicate address probes, which
 * the namespace, answering for all neighbours, would take for a question.
 */
export function guardTable({ networks, limits }: NetworkState): NftTable {
  const hosts = networks.flatMap((network) => network.hosts);
  const known = new Set(hosts.map(interfaceKey));
  const limited = limits.filter((limit) => known.has(interfaceKey(limit)) && limit.egressBytesPerSecond !== null);
  const rateChains = limited.map(({ egressBytesPerSecond, ...link }): [string, { hook: null; rules: string[] }] => {
    const rate = egressBytesPerSecond ?? 0;
    const rule = `limit rate over ${rate} bytes/second burst ${burstBytes} bytes counter drop`;
    return [`rate_${tapName(link)}`, { hook: null, rules: [rule] }];
  });
  return {
    family: "bridge",
    name: "cumulus",
    sets: {
      macs: set(
        "ifname . ether_addr",
        hosts.map((host) => `"${tapName(host)}" . ${host.mac}`),
      ),
      ipv4: set(
        "ifname . ipv4_addr",
        hosts.map((host) => `"${tapName(host)}" . ${host.ipv4}`),
      ),
      ipv6: set(
        "ifname . ipv6_addr",
        hosts.flatMap((host) =>
          host.ipv6 === null ? [] : [host.ipv6, linkLocalOf(host.mac)].map((ip) => `"${tapName(host)}" . ${ip}`),
        ),
      ),
      rates: {
        kind: "map",
        type: "ifname : verdict",
        isInterval: false,
        elements: limited.map((link) => `"${tapName(link)}" : jump rate_${tapName(link)}`),
      },
    },
    chains: {
      ...Object.fromEntries(rateChains),
      guard: {
        hook: "type filter hook prerouting priority -300; policy drop;",
        rules: [
          "iifname . ether saddr != @macs counter drop",
          "iifname vmap @rates",
          "arp htype 1 arp ptype ip arp hlen 6 arp plen 4 arp operation { request, reply } iifname . arp saddr ether @macs iifname . arp saddr ip @ipv4 accept",
          // "Does anybody have this address?" (RFC 5227, section 2.1.1) names no sender.
          "arp htype 1 arp ptype ip arp hlen 6 arp plen 4 arp operation request iifname . arp saddr ether @macs arp saddr ip 0.0.0.0 accept",
          "ether type ip udp sport 67 counter drop",
          "ether type ip6 udp sport 547 counter drop",
          "ether type ip6 icmpv6 type { nd-router-advert, nd-redirect, nd-neighbor-advert } counter drop",
          "ether type ip iifname . ip saddr @ipv4 accept",
          "ether type ip ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept",
          "ether type ip6 iifname . ip6 saddr @ipv6 accept",
          "counter drop",
        ],
      },
    },
  };
}

function set(type: string, elements: string[]) {
  return { kind: "set" as const, type, isInterval: false, elements };
}
