import type { NetworkState } from "../../domain/hostNetwork";
import { ipBatch, setSysctls } from "./commands";
import { type LinkFact, type RouteFact, readAddresses, readLinks, readRoutes } from "./linkFacts";
import { type NetworkNames, uplinkName } from "./names";
import { chooseUplinkAddresses, type UplinkAddresses, uplinkPrefix4, uplinkPrefix6 } from "./uplinkAddresses";

/**
 * Makes the pair of links that joins the namespace to the host, unless it is there, and answers its addresses: those that it has, if
 * it has some.
 */
export async function ensureUplink(names: NetworkNames): Promise<UplinkAddresses> {
  const { hostLink, namespacePath } = names;
  const [links, inner] = await Promise.all([readLinks(null), readLinks(namespacePath)]);
  const isWhole = links.has(hostLink) && inner.has(uplinkName);
  if (!isWhole) {
    if (links.has(hostLink)) await ipBatch(null, [`link delete dev ${hostLink}`]);
    await ipBatch(null, [`link add ${hostLink} type veth peer name ${uplinkName} netns ${names.namespace}`]);
  }
  const [addresses, outside, inside] = await Promise.all([
    addressesOf(names),
    readAddresses(null),
    readAddresses(namespacePath),
  ]);
  await ipBatch(null, [
    ...endLines(
      hostLink,
      [addresses.host4, addresses.host6],
      outside.get(hostLink),
      isWhole ? links.get(hostLink) : undefined,
    ),
  ]);
  await ipBatch(namespacePath, [
    ...endLines(
      uplinkName,
      [addresses.inner4, addresses.inner6],
      inside.get(uplinkName),
      isWhole ? inner.get(uplinkName) : undefined,
    ),
  ]);
  const routes = await readRoutes(namespacePath, 4);
  if (!routes.some(({ to, via }) => to === "default" && via === addresses.host4)) {
    await ipBatch(namespacePath, [`route replace default via ${addresses.host4} dev ${uplinkName}`]);
  }
  return addresses;
}

/**
 * Lets the host reach the guests, and pass on what goes out. Forwarding is a switch of the whole host: the one thing that stays on
 * when the networks go, since others may rely on it by then.
 */
export async function applyHostRoutes(
  names: NetworkNames,
  { networks }: NetworkState,
  uplink: UplinkAddresses,
): Promise<void> {
  await setSysctls(null, "1", ["ipv4/ip_forward", `ipv4/conf/${names.hostLink}/route_localnet`]);
  const wanted = [
    ...networks.map(({ cidr }) => ({ to: cidr, via: uplink.inner4 })),
    ...networks.flatMap(({ ipv6 }) => (ipv6 === null ? [] : [{ to: ipv6.cidr, via: uplink.inner6 }])),
  ];
  const present = [...(await readRoutes(null, 4)), ...(await readRoutes(null, 6))].filter(
    ({ link, via }) => link === names.hostLink && via !== null,
  );
  const isSame = (one: { to: string; via: string | null }, other: { to: string; via: string | null }) =>
    one.to === other.to && one.via === other.via;
  await ipBatch(null, [
    ...present
      .filter((route) => !wanted.some((one) => isSame(one, route)))
      .map(({ to, via }) => `route delete ${to} via ${via} dev ${names.hostLink}`),
    ...wanted
      .filter((route) => !present.some((one) => isSame(one, route)))
      .map(({ to, via }) => `route replace ${to} via ${via} dev ${names.hostLink}`),
  ]);
}

/** Ranges that the host has routes to, but by our own link and the default route. */
export async function occupiedCidrs(names: NetworkNames): Promise<string[]> {
  const isForeign = ({ to, link }: RouteFact) => to !== "default" && link !== names.hostLink;
  return (await readRoutes(null, 4)).filter(isForeign).map(({ to }) => (to.includes("/") ? to : `${to}/32`));
}

async function addressesOf(names: NetworkNames): Promise<UplinkAddresses> {
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
  [address4, address6]: [string, string],
  present: readonly string[] = [],
  fact: LinkFact | undefined,
): string[] {
  const wanted = [`${address4}/${uplinkPrefix4}`, `${address6}/${uplinkPrefix6}`];
  return [
    ...wanted
      .filter((address) => !present.includes(address))
      .map((address) => `address add ${address} dev ${link}${address.includes(":") ? " nodad" : ""}`),
    ...(fact?.isUp ? [] : [`link set dev ${link} up`]),
  ];
}
