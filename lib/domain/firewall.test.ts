import { expect, test } from "vitest";
import { type FirewallRuleInput, firewallPresets, ruleInWords, writeFirewallSchema } from "./firewall";

const nameOf = (id: number) => `firewall ${id}`;
const rule = (changes: Partial<FirewallRuleInput>): FirewallRuleInput => ({
  ...{ direction: "ingress", protocol: "tcp", ports: [], cidrs: [], firewalls: [] },
  ...changes,
});

test("a rule is told with all that it lets through, and for whom", () => {
  const ports = [
    { from: 22, to: 22 },
    { from: 8000, to: 8100 },
  ];
  expect(ruleInWords(rule({ ports, cidrs: ["10.0.0.0/8"] }), nameOf)).toBe("Let in TCP 22, 8000–8100 from 10.0.0.0/8");
  expect(ruleInWords(rule({ protocol: "any", firewalls: [3] }), nameOf)).toBe(
    "Let in everything from VMs with firewall 3",
  );
  expect(ruleInWords(rule({ direction: "egress", protocol: "icmp" }), nameOf)).toBe("Let out ICMP to anybody");
});

test("a range that is none is refused by an example of one", () => {
  const { error } = writeFirewallSchema.safeParse({ name: "a", rules: [rule({ cidrs: ["10.0.0.0/33"] })] });
  expect(error?.issues).toMatchObject([
    { path: ["rules", 0, "cidrs", 0], message: "Give a range such as 10.0.0.0/8." },
  ]);
});

test("every preset can be created as it is", () => {
  for (const preset of firewallPresets) expect(writeFirewallSchema.parse(preset)).toEqual(preset);
});
