import { z } from "zod";
import { ipJson, type Namespace } from "./commands";

const linkSchema = z.object({
  ifname: z.string(),
  flags: z.array(z.string()),
  address: z.string().optional(),
  master: z.string().optional(),
  linkinfo: z
    .object({
      info_kind: z.string().optional(),
      info_data: z.object({ user: z.union([z.number(), z.string()]).optional() }).optional(),
      info_slave_data: z.object({ isolated: z.boolean().optional() }).optional(),
    })
    .optional(),
  stats64: z.object({ rx: trafficSchema(), tx: trafficSchema() }).optional(),
});

function trafficSchema() {
  return z.object({ bytes: z.number(), packets: z.number() });
}

/** A network link as ip(8) tells it. */
export interface LinkFact {
  name: string;
  kind: string;
  mac: string | null;
  master: string | null;
  isUp: boolean;
  /** Whether somebody holds the other end. */
  hasCarrier: boolean;
  /** A port of a bridge that can't reach other such ports: none of ours is. */
  isIsolated: boolean;
  /** The user that may open a tap. */
  owner: number | null;
  received: { bytes: number; packets: number };
  sent: { bytes: number; packets: number };
}

export async function readLinks(namespace: Namespace): Promise<Map<string, LinkFact>> {
  const links = z.array(linkSchema).parse(await ipJson(namespace, ["-details", "-statistics", "link", "show"]));
  const none = { bytes: 0, packets: 0 };
  return new Map(
    links.map(({ ifname, flags, address, master, linkinfo, stats64 }) => [
      ifname,
      {
        name: ifname,
        kind: linkinfo?.info_kind ?? "",
        mac: address ?? null,
        master: master ?? null,
        isUp: flags.includes("UP"),
        hasCarrier: flags.includes("LOWER_UP"),
        isIsolated: linkinfo?.info_slave_data?.isolated ?? false,
        owner: linkinfo?.info_data?.user === undefined ? null : Number(linkinfo.info_data.user),
        received: stats64?.rx ?? none,
        sent: stats64?.tx ?? none,
      },
    ]),
  );
}

const addressSchema = z.object({
  ifname: z.string().optional(),
  addr_info: z.array(z.object({ local: z.string().optional(), prefixlen: z.number().optional() })).optional(),
});

/** "192.168.0.1/24" and the like, by link. */
export async function readAddresses(namespace: Namespace): Promise<Map<string, string[]>> {
  const links = z.array(addressSchema).parse(await ipJson(namespace, ["address", "show"]));
  return new Map(
    links.map(({ ifname = "", addr_info = [] }) => [
      ifname,
      addr_info.flatMap(({ local, prefixlen }) => (local === undefined ? [] : [`${local}/${prefixlen}`])),
    ]),
  );
}

const routeSchema = z.object({
  dst: z.string(),
  dev: z.string().optional(),
  gateway: z.string().optional(),
  protocol: z.string().optional(),
});

export interface RouteFact {
  /** "default", an address or a range. */
  to: string;
  link: string | null;
  via: string | null;
  /** The range of an address that the host itself has: its neighbours are there. */
  isOwnSubnet: boolean;
}

/** Routes of the main table. */
export async function readRoutes(namespace: Namespace, version: 4 | 6): Promise<RouteFact[]> {
  const routes = z.array(routeSchema).parse(await ipJson(namespace, [`-${version}`, "route", "show"]));
  return routes.map(({ dst, dev, gateway, protocol }) => ({
    to: dst,
    link: dev ?? null,
    via: gateway ?? null,
    isOwnSubnet: protocol === "kernel" && dst !== "default",
  }));
}

const neighbourSchema = z.object({
  dst: z.string(),
  dev: z.string(),
  lladdr: z.string().optional(),
  state: z.array(z.string()).default([]),
});

export interface NeighbourFact {
  address: string;
  link: string;
  mac: string | null;
  state: string;
}

/** The neighbour table (ARP). */
export async function readNeighbours(namespace: Namespace, version: 4 | 6): Promise<NeighbourFact[]> {
  const found = z.array(neighbourSchema).parse(await ipJson(namespace, [`-${version}`, "neighbour", "show"]));
  return found.map(({ dst, dev, lladdr, state }) => ({
    address: dst,
    link: dev,
    mac: lladdr ?? null,
    state: state[0] ?? "",
  }));
}
