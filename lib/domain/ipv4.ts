/** The address as an unsigned 32-bit number. */
export function ipv4ToNumber(address: string): number {
  return address.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}

export function numberToIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

export interface Ipv4Range {
  /** The network's own address. */
  first: number;
  /** The broadcast address. */
  last: number;
}

/** The range of a CIDR such as "192.168.0.0/24". */
export function rangeOf(cidr: string): Ipv4Range {
  const [address = "", bits = "32"] = cidr.split("/");
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(ipv4ToNumber(address) / size) * size;
  return { first, last: first + size - 1 };
}

/** A network's range, and where its VMs' way out begins. */
export interface Ipv4Network {
  cidr: string;
  gateway: string;
}

/** The gateway of a network that names none: the first address that a host can have. */
export function defaultGatewayOf(cidr: string): string {
  return numberToIpv4(rangeOf(cidr).first + 1);
}

/** The name server's address in a network with user-mode networking: the last one that a host can have, but for the gateway's. */
export function dnsAddressOf({ cidr, gateway }: Ipv4Network): string {
  const last = rangeOf(cidr).last - 1;
  return numberToIpv4(last === ipv4ToNumber(gateway) ? last - 1 : last);
}

/** Whether a VM can have an address: not the network's own, the broadcast, the gateway's, nor the user-mode name server's. */
export function isForVms(network: Ipv4Network, address: string): boolean {
  const { first, last } = rangeOf(network.cidr);
  const value = ipv4ToNumber(address);
  return value > first && value < last && address !== network.gateway && address !== dnsAddressOf(network);
}

/** The lowest address of a range that is not used; undefined when none is left. */
export function nextFreeAddress(range: Ipv4Range, used: ReadonlySet<string>): string | undefined {
  for (let value = range.first; value <= range.last; value++) {
    const address = numberToIpv4(value);
    if (!used.has(address)) return address;
  }
  return undefined;
}

/** The same range with nothing set behind the prefix: "10.0.0.5/24" is "10.0.0.0/24". */
export function normalCidr(cidr: string): string {
  return `${numberToIpv4(rangeOf(cidr).first)}/${cidr.split("/")[1]}`;
}

export function overlaps(one: string, other: string): boolean {
  const [a, b] = [rangeOf(one), rangeOf(other)];
  return a.first <= b.last && b.first <= a.last;
}

const privateCidrs = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/** Whether a range lies within the private ones (RFC 1918). */
export function isPrivateCidr(cidr: string): boolean {
  const { first, last } = rangeOf(cidr);
  return privateCidrs.some((one) => first >= rangeOf(one).first && last <= rangeOf(one).last);
}
