import { expect, test } from "vitest";
import { host, network } from "../../hypervisor/testing/lab/labNetworks";
import type { AddressFact, InterfaceFact, NetworkFact } from "../snapshot";
import { healthySnapshot } from "../testSnapshot";
import { checkLeases } from "./leases";

const endsAt = "2026-11-23T11:39:06.000Z";
const [first, second] = [host(1, 1), host(2, 1)];
const strange = "52:54:00:00:09:09";
/** Of VM 1, VM 2 and nobody; of another network. */
const [free, elsewhere] = ["192.168.1.9", "192.168.2.2"];

function told(
  leases: { networkId?: number; mac: string; ipv4: string }[],
  addresses: AddressFact[] = [],
  interfaces: InterfaceFact[] = [],
): string[] {
  const network1 = {
    written: { networks: [network(1, [first, second]), network(2, [])], firewalls: [], limits: [] },
    leases: leases.map((lease) => ({ networkId: 1, endsAt, ...lease })),
  } as Partial<NetworkFact> as NetworkFact;
  return checkLeases({ ...healthySnapshot(), addresses, interfaces }, network1).map(({ message }) => message);
}

test("nothing is told of leases of VMs' own addresses, of those in quarantine, nor of a range that the network had before", () => {
  const quarantined = { networkId: 1, ipv4: free, vmId: 7, hasReservedMac: false, isReleased: true };
  expect(told([])).toEqual([]);
  expect(told([first, second, { mac: strange, ipv4: free }], [quarantined])).toEqual([]);
  expect(told([{ mac: strange, ipv4: elsewhere }])).toEqual([]);
});

test.each<[what: string, lease: { networkId?: number; mac: string; ipv4: string }, told: RegExp]>([
  [
    "another VM's address",
    { mac: first.mac, ipv4: second.ipv4 },
    /^The address 192\.168\.1\.3 is leased to \S+ of VM vm-1 \(id 1\), and is VM vm-2 \(id 2\)'s: stop VM vm-1 \(id 1\) and start it again\.$/,
  ],
  [
    "a VM's address, to what was unplugged",
    { mac: strange, ipv4: second.ipv4 },
    /leased to 52:54:00:00:09:09 of an interface that is gone, .* once that lease ends, at 2026-11-23T11:39:06\.000Z\.$/,
  ],
  [
    "an address that isn't the one of its VM",
    { mac: first.mac, ipv4: free },
    /^The address 192\.168\.1\.9 is leased to 52:54:00:00:01:01 of VM vm-1 \(id 1\), whose address is 192\.168\.1\.2: stop VM vm-1/,
  ],
  [
    "an address of a network that its VM isn't in",
    { networkId: 2, mac: first.mac, ipv4: elsewhere },
    /^The address 192\.168\.2\.2 is leased to 52:54:00:00:01:01 of VM vm-1 \(id 1\), whose address is 192\.168\.1\.2: stop VM vm-1/,
  ],
  [
    "an address, to a stranger",
    { mac: strange, ipv4: free },
    /^The address 192\.168\.1\.9 is leased to 52:54:00:00:09:09, which no VM has, nor had lately as far as the database knows: until 2026-11-23T11:39:06\.000Z, .* see what writes to \/run\/c\/network\/1\/leases, /,
  ],
])("it is told of a lease of %s", (_what, lease, expected) => {
  expect(told([lease])).toEqual([expect.stringMatching(expected)]);
});

test("nothing is told of a lease of a VM that is on the network no more, since it runs with a user-mode one", () => {
  const moved = { vmId: 3, interfaceId: "net0", networkId: 1, ipv4: free, mac: strange };
  expect(told([{ mac: strange, ipv4: free }], [], [moved])).toEqual([]);
  expect(told([{ mac: strange, ipv4: free }], [], [{ ...moved, mac: first.mac }])).toHaveLength(1);
});

test("an address that is reserved, or waits in another network, is in no quarantine", () => {
  const rows = [
    { networkId: 1, ipv4: free, vmId: null, hasReservedMac: false, isReleased: false },
    { networkId: 2, ipv4: free, vmId: 7, hasReservedMac: false, isReleased: true },
  ];
  expect(told([{ mac: strange, ipv4: free }], rows)).toHaveLength(1);
});
