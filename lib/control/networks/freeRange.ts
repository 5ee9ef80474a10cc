import { networks } from "../../db/schema/networks";
import { overlaps } from "../../domain/ipv4";
import type { NetworkProposal } from "../../domain/network";
import type { Context } from "../context";

/** In this order; the latter ones for a host that is in one of the private ranges (RFC 1918) as a whole. */
const candidates = [
  ...Array.from({ length: 256 }, (_, third) => `192.168.${third}.0/24`),
  ...Array.from({ length: 16 }, (_, second) => `172.${16 + second}.0.0/24`),
  ...Array.from({ length: 256 }, (_, second) => `10.${second}.0.0/24`),
];

/** The first private range that overlaps none of these; undefined when there is none. */
export function freeCidr(taken: readonly string[]): string | undefined {
  return candidates.find((cidr) => !taken.some((one) => overlaps(one, cidr)));
}

/** A range for a new network: one that no other has, and that the host has no route to. */
export async function proposeNetwork(context: Context): Promise<NetworkProposal> {
  const { occupiedCidrs } = await context.agent.networkStatus();
  const rows = await context.db.select({ cidr: networks.cidr }).from(networks);
  return { cidr: freeCidr([...occupiedCidrs, ...rows.map(({ cidr }) => cidr)]) ?? null };
}
