import type { HostNetwork, NetworkHost, NetworkState } from "../../domain/hostNetwork";
import { ipBatch, type Namespace } from "./commands";
import { type LinkFact, readAddresses, readLinks, readNeighbours } from "./linkFacts";
import { bridgeName, gatewayMac, linkLocalOf, type NetworkNames, tapName } from "./names";

/** The gateway's link-local address in all networks. */
const gatewayLinkLocal = "fe80::1/64";

/** What the namespace has of links and what leads to them. */
export interface LinkFacts {
  links: ReadonlyMap<string, LinkFact>;
  addresses: ReadonlyMap<string, readonly string[]>;
  /** Permanent IPv6 neighbours: `LINK ADDRESS MAC`. */
  neighbours6: ReadonlySet<string>;
}

/** Brings bridges, taps, gateways and IPv6 neighbours to what the state says; what is right already isn't touched. Answers whether anything was. */
export async function applyBridges(
  names: NetworkNames,
  state: NetworkState,
  ownerOf: (vmId: number) => number,
): Promise<boolean> {
  const facts = await readFacts(names.namespacePath);
  const lines = bridgeCommands(names, state, ownerOf, facts);
  await ipBatch(names.namespacePath, lines);
  return lines.length > 0;
}

async function readFacts(namespace: Namespace): Promise<LinkFacts> {
  const [links, addresses, neighbours] = await Promise.all([
    readLinks(namespace),
    readAddresses(namespace),
    readNeighbours(namespace, 6),
  ]);
  const permanent = neighbours
    .filter(({ state }) => state === "PERMANENT")
    .map(({ link, address, mac }) => `${link} ${address} ${mac}`);
  return { links, addresses, neighbours6: new Set(permanent) };
}

/**
 * Lines for ip(8). Pure.
 * @param ownerOf the user that a VM's QEMU runs as
 */
export function bridgeCommands(
  names: NetworkNames,
  { networks }: NetworkState,
  ownerOf: (vmId: number) => number,
  facts: LinkFacts,
): string[] {
  const wanted = new Set(networks.flatMap(({ id, hosts }) => [bridgeName(id), ...hosts.map(tapName)]));
  const lost = [...facts.links.values()].filter(
    ({ name, kind }) =>
      !wanted.has(name) && ((kind === "bridge" && /^br\d+$/.test(name)) || (kind === "tun" && /^t\d+n\d+$/.test(name))),
  );
  return [
    ...lost.map(({ name }) => `link delete dev ${name}`),
    ...networks.flatMap((network) => [
      ...bridgeLines(names, network, facts),
      ...network.hosts.flatMap((host) => [
        ...tapLines(bridgeName(network.id), host, ownerOf(host.vmId), facts),
        ...neighbourLines(bridgeName(network.id), host, facts),
      ]),
    ]),
  ];
}

function bridgeLines(names: NetworkNames, network: HostNetwork, { links, addresses }: LinkFacts): string[] {
  const { id, cidr, gateway, ipv6 } = network;
  const name = bridgeName(id);
  const link = links.get(name);
  const mac = gatewayMac(names, id);
  const lines: string[] = [];
  if (link === undefined) {
    lines.push(`link add dev ${name} type bridge forward_delay 0 mcast_snooping 0`);
    // It answers for neighbours at once; by default it gives them a moment to answer themselves.
    for (const table of ["arp_cache", "ndisc_cache"])
      lines.push(`ntable change name ${table} dev ${name} proxy_delay 0`);
  }
  if (link?.mac !== mac) lines.push(`link set dev ${name} address ${mac}`);
  if (!link?.isUp) lines.push(`link set dev ${name} up`);
  const wanted = [
    `${gateway}/${cidr.split("/")[1]}`,
    ...(ipv6 === null ? [] : [`${ipv6.gateway}/${ipv6.cidr.split("/")[1]}`, gatewayLinkLocal]),
  ];
  const present = addresses.get(name) ?? [];
  for (const address of present) if (!wanted.includes(address)) lines.push(`address delete ${address} dev ${name}`);
  for (const address of wanted) {
    if (!present.includes(address))
      lines.push(`address add ${address} dev ${name}${address.includes(":") ? " nodad" : ""}`);
  }
  return lines;
}

/** A tap is there before its VM and stays after it: killing QEMU changes nothing of the network. */
function tapLines(bridge: string, host: NetworkHost, owner: number, { links }: LinkFacts): string[] {
  const name = tapName(host);
  const link = links.get(name);
  const lines: string[] = [];
  const isForeign = link !== undefined && link.owner !== owner;
  if (isForeign) lines.push(`link delete dev ${name}`);
  const present = isForeign ? undefined : link;
  if (present === undefined) lines.push(`tuntap add dev ${name} mode tap user ${owner}`);
  if (present?.master !== bridge) lines.push(`link set dev ${name} master ${bridge}`);
  // As earlier versions made them: what the guard lets through to a neighbour would end there.
  if (present?.isIsolated) lines.push(`link set dev ${name} type bridge_slave isolated off`);
  if (!present?.isUp) lines.push(`link set dev ${name} up`);
  return lines;
}

/** Guests' IPv6 addresses are known, not learnt, so that no guest can claim another's; for its neighbours the namespace answers itself. */
function neighbourLines(bridge: string, { ipv6, mac }: NetworkHost, { neighbours6 }: LinkFacts): string[] {
  if (ipv6 === null) return [];
  return [ipv6, linkLocalOf(mac)]
    .filter((address) => !neighbours6.has(`${bridge} ${address} ${mac}`))
    .flatMap((address) => [
      `neighbour replace ${address} lladdr ${mac} dev ${bridge} nud permanent`,
      ...(address === ipv6 ? [`neighbour replace proxy ${address} dev ${bridge}`] : []),
    ]);
}
