import { describe, expect, test } from "vitest";
import { type FirewallRuleInput, sshOnlyRules } from "../../../lib/domain/firewall";
import { draftOf, draftsOf, firewallProblems, firewallRequestOf, newRule } from "./firewallDraft";

const rule = (changes: Partial<FirewallRuleInput> = {}): FirewallRuleInput => ({
  ...{ direction: "ingress", protocol: "tcp", ports: [], cidrs: [], firewalls: [] },
  ...changes,
});

describe("a firewall's draft", () => {
  test("of rules that are there, changed in nothing, asks for what they are", () => {
    const rules = [...sshOnlyRules, rule({ direction: "egress", cidrs: ["10.0.0.0/8", "fd00::/8"], firewalls: [3] })];
    const firewall = {
      id: 1,
      name: "web",
      rules,
      version: "1",
      vms: [],
      pending: null,
      createdAt: "2026-01-01T00:00:00.000Z",
    };
    expect(firewallRequestOf(draftOf(firewall))).toEqual({ name: "web", rules });
    expect(firewallProblems(draftOf(firewall))).toEqual({});
  });

  test("reads ports and their ranges, and addresses as ranges of one", () => {
    const [draft] = draftsOf([rule()]);
    const rules = draft ? [{ ...draft, ports: "22,80 8000-8100", cidrs: "192.168.0.7, ::1 10.0.0.0/8" }] : [];
    expect(firewallRequestOf({ name: "a", rules }).rules[0]).toMatchObject({
      ports: [
        { from: 22, to: 22 },
        { from: 80, to: 80 },
        { from: 8000, to: 8100 },
      ],
      cidrs: ["192.168.0.7/32", "::1/128", "10.0.0.0/8"],
    });
  });

  test("forgets the ports of a protocol that has none", () => {
    const rules = draftsOf([rule({ ports: [{ from: 22, to: 22 }] })]).map((one) => ({
      ...one,
      protocol: "icmp" as const,
    }));
    expect(firewallRequestOf({ name: "a", rules }).rules[0]?.ports).toEqual([]);
  });

  test("says what is wrong with which rule", () => {
    const good = newRule([]);
    const rules = [good, { ...good, key: 2, ports: "ssh", cidrs: "somewhere" }, { ...good, key: 3, ports: "90-80" }];
    expect(Object.keys(firewallProblems({ name: " ", rules })).sort()).toEqual([
      "name",
      "rules.1.cidrs",
      "rules.1.ports",
      "rules.2.ports",
    ]);
  });
});
