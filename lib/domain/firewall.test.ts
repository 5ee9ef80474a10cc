import { expect, test } from "vitest";
import { type FirewallRuleInput, firewallPresets, letsAllThrough, ruleInWords, writeFirewallSchema } from "./firewall";

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
  expect(ruleInWords(rule({}), nameOf)).toBe("Let in all TCP from anybody");
});

test("a range that is none is refused by an example of one", () => {
  const { error } = writeFirewallSchema.safeParse({ name: "a", rules: [rule({ cidrs: ["10.0.0.0/33"] })] });
  expect(error?.issues).toMatchObject([
    { path: ["rules", 0, "cidrs", 0], message: "Give an address, or a range such as 10.0.0.0/8." },
  ]);
});

test("a single address is a range of one", () => {
  const cidrs = ["10.0.0.5", "fd00::5", "10.0.0.0/8"];
  expect(writeFirewallSchema.parse({ name: "a", rules: [rule({ cidrs })] }).rules[0]?.cidrs).toEqual([
    "10.0.0.5/32",
    "fd00::5/128",
    "10.0.0.0/8",
  ]);
});

test("nothing is left for other rules to say by one that lets everything through", () => {
  expect(letsAllThrough(rule({ protocol: "any" }))).toBe(true);
  for (const less of [{ protocol: "tcp" as const }, { cidrs: ["10.0.0.0/8"] }, { firewalls: [1] }]) {
    expect(letsAllThrough(rule({ protocol: "any", ...less }))).toBe(false);
  }
});

test("every preset can be created as it is", () => {
  for (const preset of firewallPresets) expect(writeFirewallSchema.parse(preset)).toEqual(preset);
});
