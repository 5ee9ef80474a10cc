import { isIpv4, isWithin, withoutContained } from "../../domain/cidrs";
import type { FirewallRule } from "../../domain/hostNetwork";

export type Direction = "ingress" | "egress";

/**
 * The rules of a chain that goes back to its caller for what a firewall lets through, and drops the rest. They are about the connection's first direction,
 * so that they judge an answer as what it answers. Pure.
 */
export function firewallChain(direction: Direction, rules: readonly FirewallRule[]): string[] {
  return [...new Set(rules.flatMap((rule) => linesOf(direction, rule))), "counter drop"];
}

function linesOf(direction: Direction, rule: FirewallRule): string[] {
  const what = `${protocolMatch(rule)}counter return`;
  const end = direction === "ingress" ? "saddr" : "daddr";
  if (rule.cidrs.length === 0) return [what];
  return [
    addresses(`ct original ip ${end}`, rule.cidrs.filter(isIpv4), what),
    addresses(
      `ct original ip6 ${end}`,
      rule.cidrs.filter((cidr) => !isIpv4(cidr)),
      what,
    ),
  ].flat();
}

function addresses(field: string, cidrs: string[], what: string): string[] {
  return cidrs.length === 0 ? [] : [`${field} { ${withoutContained(cidrs).join(", ")} } ${what}`];
}

function protocolMatch({ protocol, ports }: FirewallRule): string {
  if (protocol === "any") return "";
  if (protocol === "icmp") return "meta l4proto { icmp, ipv6-icmp } ";
  if (ports === null) return `meta l4proto ${protocol} `;
  const ranges = mergedPorts(ports).map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
  return `meta l4proto ${protocol} ct original proto-dst { ${ranges.join(", ")} } `;
}

/** The same ports in ranges that don't overlap. */
function mergedPorts(ports: readonly { from: number; to: number }[]): { from: number; to: number }[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of ports.filter((range) => range.from <= range.to).sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

/** The first rule by which a connection passes; undefined when none lets it. Pure. */
export function matchingRule(
  rules: readonly FirewallRule[],
  connection: { protocol: "tcp" | "udp"; port: number; peer: string },
): FirewallRule | undefined {
  const { protocol, port, peer } = connection;
  return rules.find(
    (rule) =>
      (rule.protocol === "any" || rule.protocol === protocol) &&
      (rule.ports === null ||
        rule.protocol === "any" ||
        rule.ports.some(({ from, to }) => from <= port && port <= to)) &&
      (rule.cidrs.length === 0 || rule.cidrs.some((cidr) => isWithin(peer, cidr))),
  );
}
