import { ipv4ToNumber, isForVms, numberToIpv4, rangeOf } from "../../../lib/domain/ipv4";
import type { Network, NetworkAddress } from "../../../lib/domain/network";

/** What an address of a network is; `none`: no VM can have it. */
export type AddressState = NetworkAddress["kind"] | "free" | "none";

export interface MapCell {
  ipv4: string;
  state: AddressState;
  /** Undefined for what is free or for nobody. */
  address: NetworkAddress | undefined;
  /** Whether VMs are given it by themselves; others have to ask for it. */
  isAutomatic: boolean;
}

/** A part of a network that is shown at a time: 256 addresses at the most. */
export interface MapBlock {
  first: number;
  last: number;
  label: string;
}

const blockSize = 256;

export function blocksOf(cidr: string): MapBlock[] {
  const { first, last } = rangeOf(cidr);
  const count = Math.ceil((last - first + 1) / blockSize);
  return Array.from({ length: count }, (_, index) => {
    const from = first + index * blockSize;
    const to = Math.min(last, from + blockSize - 1);
    return { first: from, last: to, label: `${numberToIpv4(from)} – ${numberToIpv4(to)}` };
  });
}

/** The addresses of a block, in order. */
export function cellsOf(
  network: Pick<Network, "cidr" | "gateway" | "range">,
  addresses: readonly NetworkAddress[],
  block: MapBlock,
): MapCell[] {
  const { range } = network;
  const whole = rangeOf(network.cidr);
  const known = new Map(addresses.map((address) => [address.ipv4, address]));
  const automatic = range ? { first: ipv4ToNumber(range.first), last: ipv4ToNumber(range.last) } : whole;
  return Array.from({ length: block.last - block.first + 1 }, (_, index) => {
    const value = block.first + index;
    const ipv4 = numberToIpv4(value);
    const address = known.get(ipv4);
    const isPossible = isForVms(network, ipv4);
    const isAutomatic = isPossible && value >= automatic.first && value <= automatic.last;
    return { ipv4, address, state: address?.kind ?? (isPossible ? "free" : "none"), isAutomatic };
  });
}

/** How many addresses of each state there are in a block. */
export function countStates(cells: readonly MapCell[]): Partial<Record<AddressState, number>> {
  const counts: Partial<Record<AddressState, number>> = {};
  for (const { state } of cells) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
