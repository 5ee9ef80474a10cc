import { createHash } from "node:crypto";
import { type HostNetwork, interfaceKey, type NetworkHost, type NetworkState } from "../../domain/hostNetwork";
import { type Direction, firewallChain } from "./firewallRules";
import { bridgeName, tapName, uplinkName } from "./names";
import { mapOf, type NftChain, type NftTable, setOf } from "./nftTable";
import { returning4, type UplinkAddresses } from "./uplinkAddresses";

/**
 * What the namespace forwards and takes in. Traffic within a network is forwarded too (guardRules.ts sends it here), so that connections are tracked on any
 * kernel and a firewall is the same for neighbours and strangers. Pure.
 *
 * A connection that the rules let through is marked with what they are, and both its directions pass by that mark: most packets meet one rule or two. Under
 * other rules the next packet is judged again, an answer as what it answers would be. So a rule that goes ends what it let through, also where only the
 * other side goes on sending, and what stays allowed goes on.
 */
export function routingTable(state: NetworkState, { host4, host6 }: UplinkAddresses): NftTable {
  const { networks } = state;
  const firewalls = firewallChains(state);
  const sets = {
    links: setOf(
      "ifname . ifname",
      networks.flatMap((network) => linksOf(network, networks)),
    ),
    gateways4: setOf(
      "ifname . ipv4_addr",
      networks.map(({ id, gateway }) => `"${bridgeName(id)}" . ${gateway}`),
    ),
    gateways6: setOf(
      "ifname . ipv6_addr",
      networks.flatMap(({ id, ipv6 }) => (ipv6 === null ? [] : [`"${bridgeName(id)}" . ${ipv6.gateway}`])),
    ),
    forwards: setOf(
      "ipv4_addr . inet_proto . inet_service",
      unique(
        networks.flatMap(({ forwards }) =>
          forwards.map(({ ipv4, protocol, port }) => `${ipv4} . ${protocol} . ${port}`),
        ),
      ),
    ),
    nat: setOf(
      "ipv4_addr",
      networks.filter(({ outside }) => outside === "nat").map(({ cidr }) => cidr),
      "flags interval;",
    ),
    ...firewalls.maps,
  };
  // Of the connection's first direction, whichever the packet has: nothing within the namespace translates a guest's address.
  const deliver = [
    "ct original ip saddr vmap @egress4",
    "ct original ip6 saddr vmap @egress6",
    "ct original ip daddr vmap @ingress4",
    "ct original ip6 daddr vmap @ingress6",
  ];
  // As in `forward`, with both ends exchanged.
  const answer = [
    `oifname "${uplinkName}" ip daddr ${host4} goto deliver`,
    `oifname "${uplinkName}" ip6 daddr ${host6} goto deliver`,
    `oifname "${uplinkName}" meta l4proto { tcp, udp } ip saddr . meta l4proto . th sport @forwards goto deliver`,
    "oifname . iifname @links goto deliver",
    "counter drop",
  ];
  const forward = [
    "ct state invalid counter drop",
    "ct state related accept",
    "ct direction reply goto answer",
    `iifname "${uplinkName}" ip saddr ${host4} goto deliver`,
    `iifname "${uplinkName}" ip6 saddr ${host6} goto deliver`,
    `iifname "${uplinkName}" meta l4proto { tcp, udp } ip daddr . meta l4proto . th dport @forwards goto deliver`,
    // Link-local addresses out there are the host's neighbours: a cloud's metadata service for one. Within a network no firewall knows them.
    "ip daddr 169.254.0.0/16 counter drop",
    "ip6 daddr fe80::/10 counter drop",
    "iifname . oifname @links goto deliver",
    "counter drop",
  ];
  const mark = markOf([sets, firewalls.chains, deliver, answer, forward]);
  return {
    family: "inet",
    name: "cumulus",
    sets,
    chains: {
      ...firewalls.chains,
      deliver: { hook: null, rules: [...deliver, `ct mark set ${mark}`, "accept"] },
      answer: { hook: null, rules: answer },
      input: { hook: "type filter hook input priority 0; policy drop;", rules: inputRules() },
      forward: {
        hook: "type filter hook forward priority 0; policy drop;",
        rules: [
          // Of guests only: that a packet is of the address that it says is known of theirs.
          `iifname "br*" ct mark ${mark} accept`,
          `ct direction reply ct mark ${mark} accept`,
          ...forward,
        ],
      },
      output: {
        hook: "type filter hook output priority 0; policy accept;",
        // "Your neighbour is nearer than I": not to it, and IPv6 has no switch for it.
        rules: ["icmpv6 type nd-redirect drop"],
      },
      postrouting: {
        hook: "type nat hook postrouting priority 100; policy accept;",
        rules: [
          `oifname "${uplinkName}" ip saddr @nat masquerade`,
          // Guests know the host as their gateway: its own address would be link-local to them. Others that come back from it are no host to them, either.
          `oifname "br*" ip saddr { ${host4}, ${returning4} } masquerade`,
          `oifname "br*" ip6 saddr ${host6} masquerade`,
        ],
      },
    },
  };
}

/** A number that stands for rules; never 0, which every connection begins with. */
function markOf(rules: unknown): string {
  return `0x1${createHash("sha256").update(JSON.stringify(rules)).digest("hex").slice(0, 7)}`;
}

/**
 * From a guest, the namespace answers DHCP, and at the guest's own gateway DNS and ping. Firewalls come before ping only: who closes what goes out means
 * others, not the names and addresses by which those are found.
 */
function inputRules(): string[] {
  return [
    "ct direction reply accept",
    "ct state related accept",
    'iifname "lo" accept',
    'iifname "br*" udp sport 68 udp dport 67 accept',
    'iifname "br*" udp sport 546 udp dport 547 accept',
    "meta l4proto { tcp, udp } iifname . ip daddr @gateways4 th dport 53 accept",
    "meta l4proto { tcp, udp } iifname . ip6 daddr @gateways6 th dport 53 accept",
    "icmpv6 type { nd-router-solicit, nd-neighbor-solicit } accept",
    `iifname "${uplinkName}" icmpv6 type nd-neighbor-advert accept`,
    "ip saddr vmap @egress4",
    "ip6 saddr vmap @egress6",
    "iifname . ip daddr @gateways4 icmp type echo-request limit rate 100/second accept",
    "iifname . ip6 daddr @gateways6 icmpv6 type echo-request limit rate 100/second accept",
    `iifname "${uplinkName}" icmp type echo-request accept`,
    "counter drop",
  ];
}

/** Pairs of links between which new connections may pass, first to last. */
function linksOf(network: HostNetwork, all: readonly HostNetwork[]): string[] {
  const own = bridgeName(network.id);
  const others = all.filter(({ id }) => id !== network.id && network.reaches.includes(id));
  const pairs: [string, string][] = [[own, own], ...others.map(({ id }): [string, string] => [own, bridgeName(id)])];
  if (network.outside !== "none") pairs.push([own, uplinkName]);
  if (network.outside === "routed") pairs.push([uplinkName, own]);
  return pairs.map(([from, to]) => `"${from}" . "${to}"`);
}

/** A chain for each direction of an interface that has a firewall, and the maps that lead to them by the interface's addresses. */
function firewallChains({ networks, firewalls }: NetworkState) {
  const hosts = new Map(networks.flatMap((network) => network.hosts).map((host) => [interfaceKey(host), host]));
  const chains: Record<string, NftChain> = {};
  const elements: Record<Direction, { ip4: string[]; ip6: string[] }> = {
    ingress: { ip4: [], ip6: [] },
    egress: { ip4: [], ip6: [] },
  };
  for (const firewall of firewalls) {
    const host = hosts.get(interfaceKey(firewall));
    if (host === undefined) continue;
    for (const direction of ["ingress", "egress"] as const) {
      const rules = firewall[direction];
      if (rules === null) continue;
      const name = chainName(direction, host);
      chains[name] = { hook: null, rules: firewallChain(direction, rules) };
      elements[direction].ip4.push(`${host.ipv4} : jump ${name}`);
      if (host.ipv6 !== null) elements[direction].ip6.push(`${host.ipv6} : jump ${name}`);
    }
  }
  const maps = {
    egress4: mapOf("ipv4_addr : verdict", elements.egress.ip4),
    egress6: mapOf("ipv6_addr : verdict", elements.egress.ip6),
    ingress4: mapOf("ipv4_addr : verdict", elements.ingress.ip4),
    ingress6: mapOf("ipv6_addr : verdict", elements.ingress.ip6),
  };
  return { chains, maps };
}

export function chainName(direction: Direction, host: Pick<NetworkHost, "vmId" | "interfaceId">): string {
  return `${direction}_${tapName(host)}`;
}

function unique(values: string[]): string[] {
  return [...new Set(values)];
}
