import type { FirewallRuleInput } from "../../domain/firewall";
import type { FirewallRule } from "../../domain/hostNetwork";

/**
 * What a VM's firewalls let through in one direction, with other firewalls replaced by the addresses of the VMs that have them. Null is everything: no rule is about this
 * direction. A rule for VMs of which there are none lets nothing through.
 */
export function effectiveRules(
  rules: readonly FirewallRuleInput[],
  direction: "ingress" | "egress",
  membersOf: (firewallId: number) => string[],
): FirewallRule[] | null {
  const own = rules.filter((rule) => rule.direction === direction);
  if (own.length === 0) return null;
  return own.flatMap(({ protocol, ports, cidrs, firewalls }) => {
    const others = [...cidrs, ...firewalls.flatMap(membersOf)];
    if (others.length === 0 && firewalls.length > 0) return [];
    return [{ protocol, ports: ports.length === 0 ? null : ports, cidrs: others }];
  });
}
