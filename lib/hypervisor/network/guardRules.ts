import { interfaceKey, type NetworkState } from "../../domain/hostNetwork";
import { run } from "./commands";
import { gatewayMac, linkLocalOf, type NetworkNames, tapName } from "./names";
import { mapOf, type NftChain, type NftSet, type NftTable, setOf } from "./nftTable";

/** On top of a second's worth, which nft's bucket always holds: two of the largest packets that a virtual link carries. */
const burstBytes = 131_072;

/** How long a connection between neighbours is switched before a packet of it is routed again: well below what conntrack waits for one (namespace.ts). */
const shortcutSeconds = 10;
const maxShortcuts = 16_384;
/** A table of a fixed size, more VMs than a computer runs: nft looks into it faster than into one that grows. */
const fixedSize = "size 16384;";
const shortcutSets = ["tcp4", "udp4", "tcp6", "udp6"];

const unfragmented = { 4: "ip frag-off & 0x3fff == 0", 6: "exthdr frag missing" };
const sender = { 4: "iifname . ether saddr . ip saddr", 6: "iifname . ether saddr . ip6 saddr" };
/** What only a network's own server and router may say. */
const serversOnly = {
  4: ["udp sport 67 counter drop"],
  6: ["udp sport 547 counter drop", "icmpv6 type { nd-router-advert, nd-redirect, nd-neighbor-advert } counter drop"],
};

/**
 * The first thing that a VM's frame meets. Ports of the bridges are VMs only, so that all frames here are from VMs. Two things are decided:
 *
 * - Whether it passes: nothing does that isn't plainly the VM's own. What no rule names (VLAN tags, other ethertypes) is dropped.
 * - Where it goes, whatever destination the VM wrote on it: to the gateway, so that the namespace routes it (routingRules.ts). So stateful firewalls work
 *   between neighbours on any kernel, and no broadcast of a VM reaches another.
 *
 * The one way to a neighbour is a shortcut: when neither of the two has a firewall, the first packet of a connection notes its sender's MAC, addresses and
 * ports for a while, and those that are exactly so are switched straight to the neighbour; the next after that while is routed again. The namespace
 * sees each connection's first packets, its last ones, and some between, so that conntrack knows who began it on the day that one of them gets a firewall.
 *
 * Pure. Neighbour advertisements aren't needed: the namespace knows its IPv6 neighbours by the control plane. Nor are duplicate address probes, which
 * the namespace, answering for all neighbours, would take for a question.
 */
export function guardTable(names: NetworkNames, state: NetworkState): NftTable {
  const { networks } = state;
  const hosts = networks.flatMap((network) => network.hosts);
  const rates = rateLimits(state);
  const limited = rates.map.elements.length > 0 ? ["iifname vmap @rates"] : [];
  const near = shortcuts(state, limited);
  return {
    family: "bridge",
    name: "cumulus",
    sets: {
      macs: setOf(
        "ifname . ether_addr",
        hosts.map((host) => `"${tapName(host)}" . ${host.mac}`),
        fixedSize,
      ),
      ipv4: setOf(
        "ifname . ether_addr . ipv4_addr",
        hosts.map((host) => `"${tapName(host)}" . ${host.mac} . ${host.ipv4}`),
        fixedSize,
      ),
      ipv6: setOf(
        "ifname . ether_addr . ipv6_addr",
        hosts.flatMap((host) =>
          host.ipv6 === null
            ? []
            : [host.ipv6, linkLocalOf(host.mac)].map((ip) => `"${tapName(host)}" . ${host.mac} . ${ip}`),
        ),
        fixedSize,
      ),
      gateways: mapOf(
        "ifname : ether_addr",
        networks.flatMap((network) =>
          network.hosts.map((host) => `"${tapName(host)}" : ${gatewayMac(names, network.id)}`),
        ),
      ),
      rates: rates.map,
      ...near.sets,
    },
    chains: {
      ...rates.chains,
      ...near.chains,
      gateway: {
        hook: null,
        rules: [
          "meta pkttype host accept",
          // Another VM's MAC, or nobody's.
          "meta pkttype other counter drop",
          "ether daddr set iifname map @gateways accept",
        ],
      },
      guard: {
        hook: "type filter hook prerouting priority -300; policy drop;",
        rules: [
          // In the order of how often: each rule costs each packet.
          "ip daddr @near4 goto beside4",
          "ip6 daddr @near6 goto beside6",
          `${sender[4]} @ipv4 goto sent4`,
          `${sender[6]} @ipv6 goto sent6`,
          "iifname . ether saddr != @macs counter drop",
          ...limited,
          "arp htype 1 arp ptype ip arp hlen 6 arp plen 4 arp operation { request, reply } iifname . arp saddr ether . arp saddr ip @ipv4 goto gateway",
          // "Does anybody have this address?" (RFC 5227, section 2.1.1) names no sender.
          "arp htype 1 arp ptype ip arp hlen 6 arp plen 4 arp operation request iifname . arp saddr ether @macs arp saddr ip 0.0.0.0 goto gateway",
          "ether type ip ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 goto gateway",
          "counter drop",
        ],
      },
    },
  };
}

/** Has the next packet of every connection be routed: what was noted before the rules changed must not outlive them. */
export async function forgetShortcuts({ namespacePath }: NetworkNames): Promise<void> {
  const lines = shortcutSets.map((name) => `flush set bridge cumulus ${name}\n`);
  await run(namespacePath, "nft", ["-f", "-"], lines.join(""));
}

/** What VMs send is limited where it comes in: a chain for each tap with a limit, and the map that leads to them. */
function rateLimits({ networks, limits }: NetworkState) {
  const known = new Set(networks.flatMap(({ hosts }) => hosts.map(interfaceKey)));
  const limited = limits.filter((limit) => known.has(interfaceKey(limit)) && limit.egressBytesPerSecond !== null);
  const chains = limited.map(({ egressBytesPerSecond, ...link }): [string, NftChain] => {
    const rate = egressBytesPerSecond ?? 0;
    const rule = `limit rate over ${rate} bytes/second burst ${burstBytes} bytes counter drop`;
    return [`rate_${tapName(link)}`, { hook: null, rules: [rule] }];
  });
  const elements = limited.map((link) => `"${tapName(link)}" : jump rate_${tapName(link)}`);
  return { chains: Object.fromEntries(chains), map: mapOf("ifname : verdict", elements) };
}

/**
 * Sets and chains of what VMs send by their own addresses, and of the way straight to a neighbour, for both versions of IP. VMs with a firewall or a limit
 * on what they send don't have that way.
 */
function shortcuts({ networks, firewalls, limits }: NetworkState, limited: readonly string[]) {
  const bound = new Set([
    ...firewalls.filter(({ ingress, egress }) => ingress !== null || egress !== null).map(interfaceKey),
    ...limits.filter(({ egressBytesPerSecond }) => egressBytesPerSecond !== null).map(interfaceKey),
  ]);
  const free = networks.flatMap(({ hosts }) => hosts).filter((host) => !bound.has(interfaceKey(host)));
  const owners = {
    4: free.map(({ ipv4, mac }) => ({ address: ipv4, mac })),
    6: free.flatMap(({ ipv6, mac }) => (ipv6 === null ? [] : [{ address: ipv6, mac }])),
  };
  const cidrs = {
    4: networks.map(({ cidr }) => cidr),
    6: networks.flatMap(({ ipv6 }) => ipv6?.cidr ?? []),
  };
  const sets: Record<string, NftSet> = {};
  const chains: Record<string, NftChain> = {};
  for (const version of [4, 6] as const) {
    const ip = version === 4 ? "ip" : "ip6";
    const type = `ipv${version}_addr`;
    const addresses = owners[version].map(({ address }) => address);
    sets[`near${version}`] = setOf(type, addresses, fixedSize);
    sets[`owners${version}`] = mapOf(
      `${type} : ether_addr`,
      owners[version].map(({ address, mac }) => `${address} : ${mac}`),
      fixedSize,
    );
    sets[`within${version}`] = setOf(
      `${type} . ${type}`,
      cidrs[version].map((cidr) => `${cidr} . ${cidr}`),
      "flags interval;",
    );
    for (const protocol of ["tcp", "udp"]) {
      sets[`${protocol}${version}`] = setOf(
        `ether_addr . ${type} . ${type} . inet_service . inet_service`,
        [],
        `flags dynamic,timeout; timeout ${shortcutSeconds}s; size ${maxShortcuts};`,
      );
    }
    // As many fields as nft can name in one key.
    const connection = (protocol: string) =>
      `ether saddr . ${ip} saddr . ${ip} daddr . ${protocol} sport . ${protocol} dport`;
    const toOwner = `ether daddr set ${ip} daddr map @owners${version} accept`;
    chains[`shortcut${version}`] = {
      hook: null,
      rules: [
        `tcp flags & (fin | syn | rst) == 0 ${connection("tcp")} @tcp${version} ${toOwner}`,
        `${connection("udp")} @udp${version} ${toOwner}`,
      ],
    };
    chains[`remember${version}`] = {
      hook: null,
      rules: ["tcp", "udp"].map((protocol) => `add @${protocol}${version} { ${connection(protocol)} }`),
    };
    const allowed = [...limited, ...serversOnly[version]];
    chains[`sent${version}`] = {
      hook: null,
      rules: [...allowed, "goto gateway"],
    };
    chains[`beside${version}`] = {
      hook: null,
      rules: [
        "iifname . ether saddr != @macs counter drop",
        // Fragments go together: ports are in the first one only.
        `${unfragmented[version]} jump shortcut${version}`,
        `${sender[version]} != @ipv${version} counter drop`,
        ...allowed,
        `meta pkttype host ${ip} saddr @near${version} ${ip} saddr . ${ip} daddr @within${version} jump remember${version}`,
        "goto gateway",
      ],
    };
  }
  return { sets, chains };
}
