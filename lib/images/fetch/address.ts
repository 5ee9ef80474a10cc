import { BlockList, isIP } from "node:net";

/**
 * IPv4 ranges that lead to no stranger on the internet: this computer, its networks, and what IANA keeps for special purposes
 * (RFC 6890 and its registry).
 */
const specialIpv4: [network: string, prefix: number][] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/** Global unicast, and the two forms in which an IPv4 address stands at an IPv6 address's end: mapped, and NAT64's (RFC 6052). */
const possibleIpv6: [network: string, prefix: number][] = [
  ["2000::", 3],
  ["::ffff:0:0", 96],
  ["64:ff9b::", 96],
];

/** Within global unicast: Teredo and other protocol assignments, documentation, and SRv6 identifiers. */
const specialIpv6: [network: string, prefix: number][] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["3fff::", 20],
  ["5f00::", 16],
];

const possible = new BlockList();
for (const [network, prefix] of possibleIpv6) possible.addSubnet(network, prefix, "ipv6");

const special = new BlockList();
for (const [network, prefix] of specialIpv6) special.addSubnet(network, prefix, "ipv6");
for (const [network, prefix] of specialIpv4) {
  special.addSubnet(network, prefix, "ipv4");
  special.addSubnet(`::ffff:${network}`, 96 + prefix, "ipv6");
  special.addSubnet(`64:ff9b::${network}`, 96 + prefix, "ipv6");
  special.addSubnet(`2002:${hexOf(network)}::`, 16 + prefix, "ipv6");
}

/** Whether an address is one of the public internet: not of this computer or its networks, also not in an IPv4 address that it embeds. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special.check(address, "ipv4");
  // With a zone ("fe80::1%eth0") it is of one link.
  if (family !== 6 || address.includes("%")) return false;
  return possible.check(address, "ipv6") && !special.check(address, "ipv6");
}

/** An IPv4 address as two groups of an IPv6 address. */
function hexOf(ipv4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split(".").map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
