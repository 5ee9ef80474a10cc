import { expect, test } from "vitest";
import type { NetworkState } from "./hostNetwork";
import { networkFingerprint } from "./networkFingerprint";

const firewall = (vmId: number, from: number) => ({
  vmId,
  interfaceId: "net0",
  ingress: [{ protocol: "tcp" as const, ports: [{ from, to: from }], cidrs: ["10.0.0.0/8", "192.168.0.0/16"] }],
  egress: null,
});
const state: NetworkState = { networks: [], firewalls: [firewall(1, 22), firewall(2, 80)], limits: [] };

test("states that ask for the same have one fingerprint, in whatever order they were read and whatever else the rows hold", () => {
  const [first, second] = state.firewalls.map((one) => ({ ...one, createdAt: new Date() }));
  const read = { limits: [], firewalls: [second, first].filter((one) => one !== undefined), networks: [] };
  expect(networkFingerprint(read)).toBe(networkFingerprint(state));
});

test("a port, a VM or a direction that differs makes another fingerprint", () => {
  const all = [
    state,
    { ...state, firewalls: [firewall(1, 22), firewall(2, 81)] },
    { ...state, firewalls: [firewall(1, 22), firewall(3, 80)] },
    { ...state, firewalls: [firewall(1, 22), { ...firewall(2, 80), egress: [] }] },
    { ...state, firewalls: [firewall(1, 22)] },
  ];
  expect(new Set(all.map(networkFingerprint)).size).toBe(all.length);
});
