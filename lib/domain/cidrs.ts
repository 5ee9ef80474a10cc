/** An IPv4 or IPv6 range in numbers. */
interface Range {
  version: 4 | 6;
  first: bigint;
  bits: number;
}

export function isIpv4(address: string): boolean {
  return !address.includes(":");
}

/** The address in the one spelling that the system's tools print too (RFC 5952). */
export function canonicalIpv6(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

/** The range by its first address, in one spelling: "192.168.0.0/24" for "192.168.0.7/24". */
export function canonicalCidr(cidr: string): string {
  const { version, first, bits } = parseRange(cidr);
  const shift = BigInt((version === 4 ? 32 : 128) - bits);
  const value = (first >> shift) << shift;
  const parts = (count: number, width: bigint, radix: number) =>
    Array.from({ length: count }, (_, index) =>
      ((value >> (width * BigInt(count - 1 - index))) & ((1n << width) - 1n)).toString(radix),
    );
  const address = version === 4 ? parts(4, 8n, 10).join(".") : canonicalIpv6(parts(8, 16n, 16).join(":"));
  return `${address}/${bits}`;
}

/** Whether two ranges have an address in common; of two versions, never. */
export function overlaps(one: string, other: string): boolean {
  const [a, b] = [parseRange(one), parseRange(other)];
  return contains(a, b) || contains(b, a);
}

/** Whether an address lies in a range. */
export function isWithin(address: string, cidr: string): boolean {
  return contains(parseRange(cidr), parseRange(address));
}

/** The same addresses in ranges that don't overlap: nft refuses others. Ranges either hold one another or have nothing in common. */
export function withoutContained(cidrs: readonly string[]): string[] {
  const ranges = [...new Set(cidrs.map(canonicalCidr))].map((text) => ({ text, range: parseRange(text) }));
  return ranges
    .filter(
      ({ range }, index) =>
        !ranges.some(
          (other, otherIndex) =>
            otherIndex !== index &&
            contains(other.range, range) &&
            (!contains(range, other.range) || otherIndex < index),
        ),
    )
    .map(({ text }) => text);
}

function contains(outer: Range, inner: Range): boolean {
  if (outer.version !== inner.version || outer.bits > inner.bits) return false;
  const shift = BigInt((outer.version === 4 ? 32 : 128) - outer.bits);
  return outer.first >> shift === inner.first >> shift;
}

function parseRange(text: string): Range {
  const [address = "", bits] = text.split("/");
  if (isIpv4(address)) return { version: 4, first: ipv4Value(address), bits: Number(bits ?? 32) };
  return { version: 6, first: ipv6Value(address), bits: Number(bits ?? 128) };
}

function ipv4Value(address: string): bigint {
  return address.split(".").reduce((value, part) => value * 256n + BigInt(part), 0n);
}

/** RFC 4291, section 2.2: `::` stands for as many zeros as are missing; the last 32 bits may be written as IPv4. */
function ipv6Value(address: string): bigint {
  const words = (text: string) =>
    text === ""
      ? []
      : text.split(":").flatMap((part) => {
          if (!part.includes(".")) return [BigInt(`0x${part}`)];
          const value = ipv4Value(part);
          return [value >> 16n, value & 0xffffn];
        });
  const [head = "", tail] = address.split("::");
  const front = words(head);
  const back = words(tail ?? "");
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - front.length - back.length }, () => 0n);
  return [...front, ...zeros, ...back].reduce((value, word) => (value << 16n) | word, 0n);
}
