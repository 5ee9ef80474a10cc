import { expect, test } from "vitest";
import type { FirewallRuleInput } from "../../domain/firewall";
import { effectiveRules } from "./rules";

const ssh: FirewallRuleInput = {
  direction: "ingress",
  protocol: "tcp",
  ports: [{ from: 22, to: 22 }],
  cidrs: [],
  firewalls: [],
};
const nobody = () => [];

test("what comes in is closed but for the rules, also when there are none", () => {
  expect(effectiveRules([ssh], "ingress", nobody)).toEqual([
    { protocol: "tcp", ports: [{ from: 22, to: 22 }], cidrs: [] },
  ]);
  expect(effectiveRules([{ ...ssh, direction: "egress" }], "ingress", nobody)).toEqual([]);
  expect(effectiveRules([], "ingress", nobody)).toEqual([]);
});

test("what goes out is open until a rule is about it, then closed but for it", () => {
  expect(effectiveRules([ssh], "egress", nobody)).toBeNull();
  expect(effectiveRules([], "egress", nobody)).toBeNull();
  expect(effectiveRules([ssh, { ...ssh, direction: "egress" }], "egress", nobody)).toHaveLength(1);
});

test("another firewall stands for the addresses of the VMs that have it", () => {
  const rule = { ...ssh, cidrs: ["10.0.0.0/8"], firewalls: [4] };
  expect(effectiveRules([rule], "ingress", (id) => (id === 4 ? ["192.168.0.7/32"] : []))).toEqual([
    { protocol: "tcp", ports: [{ from: 22, to: 22 }], cidrs: ["10.0.0.0/8", "192.168.0.7/32"] },
  ]);
});

test("a rule for VMs of which there are none lets nobody in, rather than everybody", () => {
  expect(effectiveRules([{ ...ssh, firewalls: [4] }], "ingress", nobody)).toEqual([]);
});
