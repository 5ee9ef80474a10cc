import { expect, test } from "vitest";
import type { FirewallRule } from "../../domain/hostNetwork";
import { firewallChain, matchingRule } from "./firewallRules";

const ssh: FirewallRule = { protocol: "tcp", ports: [{ from: 22, to: 22 }], cidrs: [] };
const web: FirewallRule = {
  protocol: "tcp",
  ports: [
    { from: 443, to: 443 },
    { from: 80, to: 90 },
    { from: 85, to: 91 },
  ],
  cidrs: ["10.0.0.0/8", "10.1.0.0/16", "fd00::/8"],
};

test("a firewall without rules lets nothing through", () => {
  expect(firewallChain("ingress", [])).toEqual(["counter drop"]);
});

test("ports and ranges that overlap are one, and each version has its rule", () => {
  expect(firewallChain("ingress", [ssh, web])).toEqual([
    "meta l4proto tcp ct original proto-dst { 22 } counter return",
    "ct original ip saddr { 10.0.0.0/8 } meta l4proto tcp ct original proto-dst { 80-91, 443 } counter return",
    "ct original ip6 saddr { fd00::/8 } meta l4proto tcp ct original proto-dst { 80-91, 443 } counter return",
    "counter drop",
  ]);
});

test("what leaves is matched by its receiver", () => {
  const rule: FirewallRule = { protocol: "any", ports: null, cidrs: ["192.0.2.0/24"] };
  expect(firewallChain("egress", [rule])).toEqual([
    "ct original ip daddr { 192.0.2.0/24 } counter return",
    "counter drop",
  ]);
});

test("the rule that lets a connection through is found, and none for others", () => {
  const rules = [ssh, web];
  expect(matchingRule(rules, { protocol: "tcp", port: 22, peer: "203.0.113.9" })).toBe(ssh);
  expect(matchingRule(rules, { protocol: "tcp", port: 85, peer: "10.2.3.4" })).toBe(web);
  expect(matchingRule(rules, { protocol: "tcp", port: 85, peer: "fd12::1" })).toBe(web);
  expect(matchingRule(rules, { protocol: "tcp", port: 85, peer: "203.0.113.9" })).toBeUndefined();
  expect(matchingRule(rules, { protocol: "udp", port: 22, peer: "203.0.113.9" })).toBeUndefined();
});
