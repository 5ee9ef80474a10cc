import type { NetworkState, PortForward } from "../../domain/hostNetwork";
import type { NetworkNames } from "./names";
import { mapOf, type NftTable, setOf } from "./nftTable";
import { hostDnsPort, returning4, type UplinkAddresses } from "./uplinkAddresses";

const everyAddress = "0.0.0.0";

/**
 * The one table that Cumulus has in the host's own nft: guests go out by the host's address, chosen ports lead in, and nothing of the host answers
 * guests nor leads to them otherwise. It forbids nothing else. Pure.
 * @param workUid the user of work on images, whose machine goes out by QEMU's user-mode network, in which the host's own services and VMs are near as for
 * any program of the host; null: it has none to itself
 */
export function hostTable(
  names: NetworkNames,
  { networks }: NetworkState,
  { host4, inner4 }: UplinkAddresses,
  workUid: number | null,
): NftTable {
  const link = names.hostLink;
  const forwards = networks.flatMap((network) => network.forwards);
  const redirect = [
    "meta l4proto { tcp, udp } dnat ip to ip daddr . meta l4proto . th dport map @forwards",
    `ip daddr != ${host4} fib daddr type local meta l4proto { tcp, udp } dnat ip to meta l4proto . th dport map @forwards_any`,
  ];
  // Guests' packets have the namespace's address too, and are let to no link-local one there (routingRules.ts).
  const ownNames = `ip saddr ${inner4} ip daddr ${host4} meta l4proto { tcp, udp } th dport ${hostDnsPort} accept`;
  return {
    family: "inet",
    name: link,
    sets: {
      forwards: mapOf(
        "ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service",
        forwards
          .filter(({ hostAddress }) => hostAddress !== everyAddress)
          .map((one) => `${one.hostAddress} . ${element(one)}`),
      ),
      forwards_any: mapOf(
        "inet_proto . inet_service : ipv4_addr . inet_service",
        forwards.filter(({ hostAddress }) => hostAddress === everyAddress).map(element),
      ),
      routed: setOf(
        "ipv4_addr",
        networks.filter(({ outside }) => outside === "routed").map(({ cidr }) => cidr),
        "flags interval;",
      ),
    },
    chains: {
      // The link may carry the host's own loopback traffic to a guest (route_localnet), and none the other way.
      guard: {
        hook: "type filter hook prerouting priority -300; policy accept;",
        rules: [`iifname "${link}" ip daddr 127.0.0.0/8 counter drop`],
      },
      // What the host has published otherwise, as for a container, is an answer of the host's too: guests get theirs before it is looked at, and no other. Their
      // network's name server asks the host's, which may be published. These see a connection's first packet only.
      published: {
        hook: "type nat hook prerouting priority -110; policy accept;",
        rules: [`iifname "${link}" fib daddr type local jump local`],
      },
      local: {
        hook: null,
        rules: [...redirect, ownNames, "meta l4proto { tcp, udp } th dport 53 accept", "counter drop"],
      },
      prerouting: { hook: "type nat hook prerouting priority -100; policy accept;", rules: redirect },
      output: { hook: "type nat hook output priority -100; policy accept;", rules: redirect },
      input: {
        hook: "type filter hook input priority 0; policy accept;",
        rules: [
          `iifname "${link}" ct state established,related accept`,
          `iifname "${link}" icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept`,
          `iifname "${link}" ${ownNames}`,
          `iifname "${link}" counter drop`,
        ],
      },
      work: {
        hook: "type filter hook output priority 0; policy accept;",
        rules:
          workUid === null
            ? []
            : // Names are asked of the host's name server.
              [
                `meta skuid ${workUid} oifname { "lo", "${link}" } meta l4proto { tcp, udp } th dport != 53 counter drop`,
              ],
      },
      postrouting: {
        hook: "type nat hook postrouting priority 100; policy accept;",
        rules: [
          `oifname "${link}" ip saddr ${inner4} snat ip to ${returning4}`,
          // Else the answer would go straight to them, from an address that they never asked.
          `iifname "${link}" oifname "${link}" ip saddr @routed snat ip to ${returning4}`,
          `ip saddr ${inner4} masquerade`,
          `oifname "${link}" ip saddr 127.0.0.0/8 masquerade`,
        ],
      },
      // A neighbour of the host that knows a VM's address comes to it by forwards only, not past the address that one is on. Chains of NAT see a connection's
      // first packet only, so that no other is slowed; after all masquerading ones, this one doesn't see what goes out in the host's own name.
      unasked: {
        hook: "type nat hook postrouting priority 110; policy accept;",
        rules: [`oifname "${link}" ip daddr != @routed ct status & dnat == 0 fib saddr type != local counter drop`],
      },
    },
  };
}

function element({ protocol, hostPort, ipv4, port }: PortForward): string {
  return `${protocol} . ${hostPort} : ${ipv4} . ${port}`;
}
