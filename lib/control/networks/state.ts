import { eq, getTableColumns, isNull, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { firewalls as firewallTable, networks as networkTable } from "../../db/schema/networks";
import { interfaceLimits, portForwards, vmFirewalls, vmInterfaces } from "../../db/schema/vmNetworking";
import { vms } from "../../db/schema/vms";
import { isOfConsolePort } from "../../domain/consolePort";
import type { FirewallRule, HostNetwork, InterfaceFirewall, NetworkHost, NetworkState } from "../../domain/hostNetwork";
import { ipv6GatewayOf, ipv6Of } from "../../domain/ipv6";
import type { NetworkDriver } from "../../domain/machine";
import { effectiveRules } from "./rules";

interface Link extends NetworkHost {
  networkId: number;
}

/**
 * All that the host must make of what is written down about networks. A VM that still runs in user mode on a host with bridges is reached by what it was started
 * with: nothing is forwarded to where it isn't; one that still runs on a bridge keeps its forwards there. Nothing is forwarded from the console's own port. Networks, VMs and rules are in the order
 * of their ids, so that what stays as it is is made of the same rules in the same order.
 */
export async function networkStateOf(db: Queryable, driver: NetworkDriver, consolePort: number): Promise<NetworkState> {
  const networks = await db.select().from(networkTable).orderBy(networkTable.id);
  const links = await liveLinks(db, networks);
  const written = await db
    .select(getTableColumns(portForwards))
    .from(portForwards)
    .innerJoin(vms, eq(vms.id, portForwards.vmId))
    .where(driver === "bridge" ? sql`coalesce(${vms.observedLink}->>'driver', 'bridge') = 'bridge'` : undefined);
  const forwards = written.filter((forward) => !isOfConsolePort(forward, consolePort));
  const limits = await db.select().from(interfaceLimits);
  const addressOf = new Map(links.filter(({ interfaceId }) => interfaceId === "net0").map((link) => [link.vmId, link]));
  const live = new Set(links.map(({ vmId, interfaceId }) => `${vmId}/${interfaceId}`));
  return {
    networks: networks.map(
      ({ id, name, cidr, gateway, domain, dnsServers, outside, reaches, ipv6Cidr }): HostNetwork => {
        const hosts = links
          .filter(({ networkId }) => networkId === id)
          .map(({ networkId: _networkId, ...host }) => host);
        return {
          ...{ id, name, cidr, gateway, domain, dnsServers, outside, reaches, hosts },
          ipv6: ipv6Cidr === null ? null : { cidr: ipv6Cidr, gateway: ipv6GatewayOf(ipv6Cidr) },
          forwards: forwards.flatMap(({ vmId, hostAddress, hostPort, protocol, port }) => {
            const link = addressOf.get(vmId);
            return link?.networkId === id ? [{ hostAddress, hostPort, protocol, port, ipv4: link.ipv4 }] : [];
          }),
        };
      },
    ),
    firewalls: await firewallsOf(db, links),
    limits: limits
      .filter(({ vmId, interfaceId }) => live.has(`${vmId}/${interfaceId}`))
      .filter((limit) => limit.ingressBytesPerSecond !== null || limit.egressBytesPerSecond !== null),
  };
}

async function liveLinks(db: Queryable, networks: { id: number; ipv6Cidr: string | null }[]): Promise<Link[]> {
  const rows = await db.select().from(vms).where(isNull(vms.deletedAt)).orderBy(vms.id);
  const further = await db.select().from(vmInterfaces).orderBy(vmInterfaces.vmId, vmInterfaces.interfaceId);
  const ipv6CidrOf = new Map(networks.map(({ id, ipv6Cidr }) => [id, ipv6Cidr]));
  const ipv6 = (networkId: number, ipv4: string) => ipv6Of(ipv6CidrOf.get(networkId) ?? null, ipv4);
  return rows.flatMap(({ id: vmId, name, networkId, mac, ipv4 }) => {
    const first = { vmId, name, networkId, interfaceId: "net0", mac, ipv4, ipv6: ipv6(networkId, ipv4) };
    const others = further
      .filter((one) => one.vmId === vmId)
      .map((one) => ({ ...one, name, ipv6: ipv6(one.networkId, one.ipv4) }));
    return [first, ...others];
  });
}

/** A VM with firewalls has on each of its interfaces what all of them together let through. */
async function firewallsOf(db: Queryable, links: Link[]): Promise<InterfaceFirewall[]> {
  const all = await db.select().from(firewallTable).orderBy(firewallTable.id);
  const attached = await db.select().from(vmFirewalls);
  const membersOf = membersIn(links, attached);
  return links.flatMap(({ vmId, interfaceId }) => {
    const ids = new Set(attached.filter((one) => one.vmId === vmId).map(({ firewallId }) => firewallId));
    if (ids.size === 0) return [];
    const rules = all.filter(({ id }) => ids.has(id)).flatMap((firewall) => firewall.rules);
    const ingress = effectiveRules(rules, "ingress", membersOf);
    const egress = effectiveRules(rules, "egress", membersOf);
    return [{ vmId, interfaceId, ingress, egress }];
  });
}

/** What each firewall of a VM by itself lets in, as the host is told of it. */
export async function ingressByFirewall(
  db: Queryable,
  vmId: number,
): Promise<{ id: number; name: string; ingress: FirewallRule[] }[]> {
  const links = await liveLinks(db, await db.select().from(networkTable));
  const attached = await db.select().from(vmFirewalls);
  const ids = attached.filter((one) => one.vmId === vmId).map(({ firewallId }) => firewallId);
  const all = await db.select().from(firewallTable).orderBy(firewallTable.id);
  const membersOf = membersIn(links, attached);
  return all
    .filter(({ id }) => ids.includes(id))
    .map(({ id, name, rules }) => ({ id, name, ingress: effectiveRules(rules, "ingress", membersOf) ?? [] }));
}

/** Gives the addresses of the VMs that have a firewall. */
function membersIn(links: readonly Link[], attached: readonly { vmId: number; firewallId: number }[]) {
  return (firewallId: number) => {
    const members = new Set(attached.filter((one) => one.firewallId === firewallId).map(({ vmId }) => vmId));
    return links
      .filter(({ vmId }) => members.has(vmId))
      .flatMap(({ ipv4, ipv6 }) => [`${ipv4}/32`, ...(ipv6 ? [`${ipv6}/128`] : [])]);
  };
}
