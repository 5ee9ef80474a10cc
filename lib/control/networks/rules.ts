import type { FirewallRuleInput } from "../../domain/firewall";
import type { FirewallRule } from "../../domain/hostNetwork";

/**
 * What the firewalls of a VM that has some let through in one direction, with other firewalls replaced by the addresses of the VMs that have them. What comes in is closed
 * but for the rules; what goes out is null, everything, as long as no rule is about it. A rule for VMs of which there are none lets nothing through.
 */
export function effectiveRules(
  rules: readonly FirewallRuleInput[],
  direction: "ingress" | "egress",
  membersOf: (firewallId: number) => string[],
): FirewallRule[] | null {
  const own = rules.filter((rule) => rule.direction === direction);
  if (direction === "egress" && own.length === 0) return null;
  return own.flatMap(({ protocol, ports, cidrs, firewalls }) => {
    const others = [...cidrs, ...firewalls.flatMap(membersOf)];
    if (others.length === 0 && firewalls.length > 0) return [];
    return [{ protocol, ports: ports.length === 0 ? null : ports, cidrs: others }];
  });
}
