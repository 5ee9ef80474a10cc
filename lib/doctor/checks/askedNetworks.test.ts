import { expect, test } from "vitest";
import type { NetworkState } from "../../domain/hostNetwork";
import { host, network } from "../../hypervisor/testing/lab/labNetworks";
import type { NetworkFact, Snapshot } from "../snapshot";
import { healthySnapshot } from "../testSnapshot";
import { checkAskedNetworks } from "./askedNetworks";

const rule = (...cidrs: string[]) => ({ protocol: "tcp" as const, ports: [{ from: 22, to: 22 }], cidrs });

function healthyState(): NetworkState {
  const forward = { hostAddress: "0.0.0.0", hostPort: 2222, protocol: "tcp" as const, ipv4: host(2, 1).ipv4, port: 22 };
  return {
    networks: [network(1, [host(1, 1), host(2, 1)], { forwards: [forward] })],
    firewalls: [{ vmId: 1, interfaceId: "net0", ingress: [rule("10.0.0.1/32", "10.0.0.2/32"), rule()], egress: null }],
    limits: [{ vmId: 2, interfaceId: "net0", ingressBytesPerSecond: 1_000_000, egressBytesPerSecond: null }],
  };
}

/** @param asked of the database; null: its host has no bridges */
function told(asked: NetworkState | null, change: Partial<Snapshot> = {}, written = healthyState()): string[] {
  const network = { written } as NetworkFact;
  const snapshot = { ...healthySnapshot(), network, askedNetworks: asked, ...change };
  return checkAskedNetworks(snapshot, network).map(({ message }) => message);
}

test("nothing is told of what was applied, in whatever order the database has it, nor of a host without bridges", () => {
  const state = healthyState();
  state.networks[0]?.hosts.reverse();
  state.firewalls[0]?.ingress?.reverse();
  state.firewalls[0]?.ingress?.[1]?.cidrs.reverse();
  expect(told(state)).toEqual([]);
  expect(told(null)).toEqual([]);
});

test.each<[what: string, plant: (state: NetworkState) => void, told: RegExp]>([
  [
    "a firewall was never applied",
    ({ firewalls }) => firewalls.push({ vmId: 2, interfaceId: "net0", ingress: [], egress: null }),
    /^The firewall on net0 of VM vm-2 \(id 2\) is in the database, and its host was never told of it: /,
  ],
  [
    "a firewall was taken off",
    ({ firewalls }) => firewalls.pop(),
    /^The firewall on net0 of VM vm-1 \(id 1\) is not in the database any more, and its host has it still/,
  ],
  [
    "a rule was added",
    ({ firewalls }) => firewalls[0]?.ingress?.push(rule("10.0.0.3/32")),
    /^The firewall on net0 of VM vm-1 \(id 1\) is otherwise in the database than its host was told/,
  ],
  [
    "a forward was never applied",
    ({ networks }) => networks[0]?.forwards.push({ ...the(networks[0]?.forwards[0]), hostPort: 2223 }),
    /^The forward of 0\.0\.0\.0:2223\/tcp is in the database/,
  ],
  [
    "a limit was changed",
    ({ limits }) => Object.assign(the(limits[0]), { ingressBytesPerSecond: 5000 }),
    /^The limit on net0 of VM vm-2 \(id 2\) is otherwise/,
  ],
  [
    "a network was made",
    ({ networks }) => networks.push(network(2, [])),
    /^The network net-2 \(id 2\) is in the database/,
  ],
  [
    "a VM has another MAC",
    ({ networks }) => Object.assign(the(networks[0]?.hosts[0]), { mac: "52:54:00:00:09:09" }),
    /^The interface net0 of VM vm-1 \(id 1\) is otherwise/,
  ],
])("it is told when %s in the database only", (_what, plant, expected) => {
  const state = healthyState();
  plant(state);
  expect(told(state)).toEqual([expect.stringMatching(expected)]);
});

test("of VMs that are under way nothing is told, nor of rules that name them", () => {
  const { vms } = healthySnapshot();
  const asked = healthyState();
  asked.networks[0]?.hosts.push(host(3, 1));
  asked.firewalls[0]?.ingress?.push(rule(`${host(3, 1).ipv4}/32`));
  asked.firewalls.push({ vmId: 3, interfaceId: "net0", ingress: [], egress: null });
  expect(told(asked)).toHaveLength(3);
  expect(told(asked, { vms: vms.map((vm) => ({ ...vm, isUnderWay: vm.id === 3 })) })).toEqual([]);
});

function the<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("The healthy state holds no such thing.");
  return value;
}
