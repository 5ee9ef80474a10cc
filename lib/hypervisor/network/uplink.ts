import { canonicalCidr, overlaps } from "../../domain/cidrs";
import type { NetworkState } from "../../domain/hostNetwork";
import { ipBatch, setSysctls } from "./commands";
import { type LinkFact, type RouteFact, readAddresses, readLinks, readRoutes } from "./linkFacts";
import { type NetworkNames, uplinkName } from "./names";
import { chooseUplinkAddresses, type UplinkAddresses, uplinkPrefix4, uplinkPrefix6 } from "./uplinkAddresses";

/** Of the inner end, which forwards: for a packet that isn't its own it asks for neighbours from there alone. */
const innerLinkLocal = "fe80::2/64";

/**
 * Makes the pair of links that joins the namespace to the host what it shall be, and answers whether that took a change, and its addresses: those that it
 * has, if it has some.
 */
export async function ensureUplink(names: NetworkNames): Promise<{ uplink: UplinkAddresses; isChanged: boolean }> {
  const { hostLink, namespacePath } = names;
  const [links, inner] = await Promise.all([readLinks(null), readLinks(namespacePath)]);
  const isWhole = links.has(hostLink) && inner.has(uplinkName);
  if (!isWhole) {
    if (links.has(hostLink)) await ipBatch(null, [`link delete dev ${hostLink}`]);
    await ipBatch(null, [`link add ${hostLink} type veth peer name ${uplinkName} netns ${names.namespace}`]);
  }
  const [addresses, outside, inside] = await Promise.all([
    uplinkAddressesOf(names),
    readAddresses(null),
    readAddresses(namespacePath),
  ]);
  const hostEnd = endLines(
    hostLink,
    [`${addresses.host4}/${uplinkPrefix4}`, `${addresses.host6}/${uplinkPrefix6}`],
    outside.get(hostLink),
    isWhole ? links.get(hostLink) : undefined,
  );
  await ipBatch(null, hostEnd);
  const innerEnd = endLines(
    uplinkName,
    [`${addresses.inner4}/${uplinkPrefix4}`, `${addresses.inner6}/${uplinkPrefix6}`, innerLinkLocal],
    inside.get(uplinkName),
    isWhole ? inner.get(uplinkName) : undefined,
  );
  await ipBatch(namespacePath, innerEnd);
  const routes = await readRoutes(namespacePath, 4);
  const hasWayOut = routes.some(({ to, via }) => to === "default" && via === addresses.host4);
  if (!hasWayOut) await ipBatch(namespacePath, [`route replace default via ${addresses.host4} dev ${uplinkName}`]);
  const isChanged = !isWhole || !hasWayOut || hostEnd.length > 0 || innerEnd.length > 0;
  return { uplink: addresses, isChanged };
}

/** A network that the host has another way to, and so doesn't reach. */
export interface Withheld {
  network: string;
  cidr: string;
  route: RouteFact;
}

/**
 * Lets the host reach the guests, and pass on what goes out. Forwarding is a switch of the whole host: the one thing that stays on
 * when the networks go, since others may rely on it by then.
 * @returns networks that get no route, so as not to take the host's own from it; whether routes came or went
 */
export async function applyHostRoutes(
  names: NetworkNames,
  { networks }: NetworkState,
  uplink: UplinkAddresses,
): Promise<{ withheld: Withheld[]; areChanged: boolean }> {
  const routes4 = await readRoutes(null, 4);
  const withheld = networks.flatMap(({ name, cidr }) => {
    const route = rivalRoute(cidr, routes4, names.hostLink);
    return route === undefined ? [] : [{ network: name, cidr, route }];
  });
  await setSysctls(null, "1", ["ipv4/ip_forward", `ipv4/conf/${names.hostLink}/route_localnet`]);
  const wanted = [
    ...networks
      .filter(({ cidr }) => !withheld.some((one) => one.cidr === cidr))
      .map(({ cidr }) => ({ to: cidr, via: uplink.inner4 })),
    ...networks.flatMap(({ ipv6 }) => (ipv6 === null ? [] : [{ to: ipv6.cidr, via: uplink.inner6 }])),
  ];
  const present = [...routes4, ...(await readRoutes(null, 6))].filter(
    ({ link, via }) => link === names.hostLink && via !== null,
  );
  const isSame = (one: { to: string; via: string | null }, other: { to: string; via: string | null }) =>
    one.to === other.to && one.via === other.via;
  const lines = [
    ...present
      .filter((route) => !wanted.some((one) => isSame(one, route)))
      .map(({ to, via }) => `route delete ${to} via ${via} dev ${names.hostLink}`),
    ...wanted
      .filter((route) => !present.some((one) => isSame(one, route)))
      .map(({ to, via }) => `route replace ${to} via ${via} dev ${names.hostLink}`),
  ];
  await ipBatch(null, lines);
  return { withheld, areChanged: lines.length > 0 };
}

/** Ranges that the host has routes to, but by our own link and the default route. */
export async function occupiedCidrs(names: NetworkNames): Promise<string[]> {
  return (await readRoutes(null, 4)).filter((route) => isForeign(route, names.hostLink)).map(rangeOfRoute);
}

/**
 * The host's route before which one of ours to a network gives way: to the subnet that the host itself is in, where its own gateway may be, or to the very same
 * range. A wider one, as a VPN has, loses nothing but what the network hides. Pure.
 */
export function rivalRoute(cidr: string, routes: readonly RouteFact[], ownLink: string): RouteFact | undefined {
  return routes.find((route) => {
    if (!isForeign(route, ownLink)) return false;
    const range = rangeOfRoute(route);
    if (canonicalCidr(range) === canonicalCidr(cidr)) return true;
    return route.isOwnSubnet && overlaps(range, cidr) && bitsOf(range) < bitsOf(cidr);
  });
}

/** Some VPNs have two halves of everything instead of a default route. */
function isForeign({ to, link }: RouteFact, ownLink: string): boolean {
  return to !== "default" && link !== ownLink && !to.endsWith("/1");
}

function rangeOfRoute({ to }: RouteFact): string {
  return to.includes("/") ? to : `${to}/32`;
}

function bitsOf(cidr: string): number {
  return Number(cidr.split("/")[1]);
}

/** Those that the host's end has, or will get. */
export async function uplinkAddressesOf(names: NetworkNames): Promise<UplinkAddresses> {
  const chosen = chooseUplinkAddresses(names, await occupiedCidrs(names));
  const present = (await readAddresses(null))
    .get(names.hostLink)
    ?.find((address) => address.endsWith(`/${uplinkPrefix4}`));
  if (present === undefined) return chosen;
  const host4 = present.split("/")[0] ?? chosen.host4;
  const last = Number(host4.split(".")[3]);
  return { ...chosen, host4, inner4: host4.replace(/\d+$/, String(last + 1)) };
}

function endLines(
  link: string,
  wanted: readonly string[],
  present: readonly string[] = [],
  fact: LinkFact | undefined,
): string[] {
  return [
    ...wanted
      .filter((address) => !present.includes(address))
      .map((address) => `address add ${address} dev ${link}${address.includes(":") ? " nodad" : ""}`),
    ...(fact?.isUp ? [] : [`link set dev ${link} up`]),
  ];
}
