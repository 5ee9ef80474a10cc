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

/** The name server's address in a network with user-mode networking: the last one that a host can have. */
export function dnsAddressOf(cidr: string): string {
  return numberToIpv4(rangeOf(cidr).last - 1);
}

/** The lowest free address of a network, from .2 up; undefined when none is left. */
export function nextFreeAddress(cidr: string, used: ReadonlySet<string>): string | undefined {
  const { first, last } = rangeOf(cidr);
  for (let value = first + 2; value < last - 1; value++) {
    const address = numberToIpv4(value);
    if (!used.has(address)) return address;
  }
  return undefined;
}
