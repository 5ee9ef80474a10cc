import { canonicalIpv6 } from "./cidrs";

/** The address that goes with a VM's IPv4 address in a network: that one in the last 32 bits. @param cidr a /64; null: the network has no IPv6 */
export function ipv6Of(cidr: string | null, ipv4: string): string | null {
  if (cidr === null) return null;
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split(".").map(Number);
  return within(cidr, `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`);
}

/** The gateway of a /64: its first address. */
export function ipv6GatewayOf(cidr: string): string {
  return within(cidr, "1");
}

function within(cidr: string, end: string): string {
  return canonicalIpv6(cidr.replace(/::\/64$/, `::${end}`));
}
