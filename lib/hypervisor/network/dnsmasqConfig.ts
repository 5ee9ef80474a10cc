import type { HostNetwork, NetworkHost } from "../../domain/hostNetwork";
import { numberToIpv4, rangeOf } from "../../domain/ipv4";
import { bridgeName, type NetworkNames } from "./names";
import { hostDnsPort } from "./uplinkAddresses";

export interface DnsmasqFiles {
  /** Names and their addresses; read again at SIGHUP. */
  hosts: string;
  /** MACs and their addresses; read again at SIGHUP. */
  dhcpHosts: string;
  /** Whom it asks; read again at SIGHUP. */
  servers: string;
  leases: string;
}

/**
 * A guest that is destroyed gives no lease back, and dnsmasq gives its address to nobody else before the lease is over: it is shorter than the
 * console's quarantine of addresses (`quarantineMs`).
 */
const leaseTime = "9m";

/**
 * dnsmasq(8)'s configuration for a network. It gives addresses to the MACs that it knows, and no others; guests' own ideas of their names count for
 * nothing. Pure.
 */
export function dnsmasqConfig(network: HostNetwork, files: DnsmasqFiles): string {
  const { id, cidr, gateway, domain, ipv6 } = network;
  const { first, last } = rangeOf(cidr);
  const netmask = numberToIpv4(2 ** 32 - (last - first + 1));
  const lines = [
    `interface=${bridgeName(id)}`,
    "except-interface=lo",
    "bind-dynamic",
    "no-hosts",
    "no-resolv",
    "no-poll",
    "no-ping",
    "cache-size=1000",
    "domain-needed",
    "bogus-priv",
    "local-ttl=5",
    "log-facility=-",
    "user=",
    "group=",
    `domain=${domain}`,
    `local=/${domain}/`,
    `addn-hosts=${files.hosts}`,
    `host-record=gateway.${domain},${gateway}${ipv6 === null ? "" : `,${ipv6.gateway}`}`,
    `servers-file=${files.servers}`,
    "dhcp-authoritative",
    "dhcp-rapid-commit",
    "dhcp-ignore-names",
    // To a guest without an address by broadcast: writing the neighbour table takes rights that it hasn't.
    "dhcp-broadcast",
    `dhcp-leasefile=${files.leases}`,
    `dhcp-range=${numberToIpv4(first)},static,${netmask},${leaseTime}`,
    `dhcp-option=option:router,${gateway}`,
    `dhcp-option=option:dns-server,${gateway}`,
    `dhcp-option=option:domain-search,${domain}`,
    `dhcp-hostsfile=${files.dhcpHosts}`,
    // A guest could fill a log with its requests.
    "quiet-dhcp",
    "quiet-dhcp6",
    "quiet-ra",
  ];
  if (ipv6 !== null) {
    const prefix = ipv6.cidr.split("/")[0];
    // off-link: guests send to each other by the gateway, which is the only one that they hear.
    lines.push(
      "enable-ra",
      `dhcp-range=${prefix},static,off-link,64,${leaseTime}`,
      `dhcp-option=option6:dns-server,[${ipv6.gateway}]`,
    );
    lines.push(`dhcp-option=option6:domain-search,${domain}`);
  }
  return `${lines.join("\n")}\n`;
}

/**
 * dnsmasq(8)'s configuration on the host itself, where it asks the host's own name servers for those of the networks, and on the uplink alone. Pure.
 * @param servers file of whom it asks; read again at SIGHUP
 */
export function hostDnsmasqConfig({ hostLink }: NetworkNames, servers: string): string {
  const lines = [
    `port=${hostDnsPort}`,
    `interface=${hostLink}`,
    "except-interface=lo",
    "bind-dynamic",
    "no-hosts",
    "no-resolv",
    "no-poll",
    // The networks' own remember.
    "cache-size=0",
    "log-facility=-",
    "user=",
    "group=",
    `servers-file=${servers}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** As `dhcp-hostsfile` takes it. Pure. */
export function dhcpHostsFile({ hosts }: HostNetwork): string {
  return hosts
    .map(({ mac, ipv4, ipv6, name }) => `${mac},${ipv4}${ipv6 === null ? "" : `,[${ipv6}]`},${name}\n`)
    .join("");
}

/**
 * Networks whose names resolve in a network, besides its own: those that it reaches, and those in which VMs that ask here, as they do where their first
 * interface is, have further ones. Pure.
 */
export function namedNetworks(network: HostNetwork, all: readonly HostNetwork[]): HostNetwork[] {
  const asking = new Set(network.hosts.filter(({ interfaceId }) => interfaceId === "net0").map(({ vmId }) => vmId));
  return all.filter(
    ({ id, hosts }) =>
      id !== network.id && (network.reaches.includes(id) || hosts.some(({ vmId }) => asking.has(vmId))),
  );
}

/** hosts(5) for the network's names, short and long, and the long ones of others that resolve in it. Pure. */
export function hostsFile(network: HostNetwork, named: readonly HostNetwork[]): string {
  const lines = [
    ...network.hosts.flatMap((host) => linesOf(host, `${host.name}.${network.domain} ${host.name}`)),
    ...named.flatMap(({ hosts, domain, gateway, ipv6 }) => [
      ...hosts.flatMap((host) => linesOf(host, `${host.name}.${domain}`)),
      ...linesOf({ ipv4: gateway, ipv6: ipv6?.gateway ?? null }, `gateway.${domain}`),
    ]),
  ];
  return `${lines.join("\n")}\n`;
}

function linesOf({ ipv4, ipv6 }: Pick<NetworkHost, "ipv4" | "ipv6">, names: string): string[] {
  return [ipv4, ...(ipv6 === null ? [] : [ipv6])].map((address) => `${address} ${names}`);
}

/**
 * As `servers-file` takes it: nobody outside is asked for private domains of the host's networks, nor for names that are known here. A domain that
 * is chosen otherwise may be somebody's out there, whom other networks' VMs still find. Pure.
 * @param upstream name servers for names outside
 * @param others the host's other networks
 * @param named those of them whose names resolve here
 */
export function serversFile(
  network: HostNetwork,
  upstream: readonly string[],
  others: readonly HostNetwork[],
  named: readonly HostNetwork[],
): string {
  const hidden = [
    ...others.map(({ domain }) => domain).filter(isPrivate),
    ...named
      .filter(({ domain }) => !isPrivate(domain))
      .flatMap(({ domain, hosts }) => [...hosts.map(({ name }) => name), "gateway"].map((name) => `${name}.${domain}`)),
  ];
  const lines = [
    ...(network.outside === "none" ? [] : upstream.map((server) => `server=${server}`)),
    ...[...new Set(hidden)].map((name) => `server=/${name}/`),
  ];
  return `${lines.join("\n")}\n`;
}

/** `internal` is for private use, and nobody's outside (ICANN Board, 29 July 2024). */
function isPrivate(domain: string): boolean {
  return /(^|\.)internal$/.test(domain);
}
