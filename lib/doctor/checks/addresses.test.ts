import { expect, test } from "vitest";
import { type HealthySnapshot, type Planted, the, toldAfter } from "../testing/planted";

const rowOf = (snapshot: HealthySnapshot, vmId: number) => the(snapshot.addresses.find((row) => row.vmId === vmId));
const further = { vmId: 1, interfaceId: "net1", networkId: 2, ipv4: "10.77.0.2", mac: "52:54:00:00:09:01" };

test("nothing is told of addresses that VMs have, that are reserved by hand, or in quarantine", () => {
  const plant = (snapshot: HealthySnapshot) => {
    snapshot.interfaces.push(further);
    snapshot.addresses.push(
      { networkId: 2, ipv4: "10.77.0.2", vmId: 1, hasReservedMac: false, isReleased: false },
      // The same address in another network is another one.
      { networkId: 1, ipv4: "10.77.0.2", vmId: null, hasReservedMac: false, isReleased: false },
      { networkId: 1, ipv4: "192.168.0.9", vmId: 7, hasReservedMac: false, isReleased: true },
    );
  };
  expect(toldAfter(plant)).toEqual([]);
});

test("nothing is told of a VM's address that is reserved, as the doctor says, where nobody held it", () => {
  expect(toldAfter((snapshot) => Object.assign(rowOf(snapshot, 1), { vmId: null }))).toEqual([]);
});

const planted: Planted[] = [
  [
    "a VM's address is free",
    (s) => s.addresses.shift(),
    /^The address 192\.168\.0\.2 of net0 of VM vm-1 \(id 1\) is free in the database, .*: reserve it, with POST \/api\/networks\/1\/addresses \{"ipv4":"192\.168\.0\.2"\}\.$/,
  ],
  [
    "a further interface's address is free",
    (s) => s.interfaces.push(further),
    /^The address 10\.77\.0\.2 of net1 of VM vm-1 \(id 1\) is free .* POST \/api\/networks\/2\/addresses/,
  ],
  [
    "a VM's address is in quarantine",
    (s) => Object.assign(rowOf(s, 1), { isReleased: true }),
    /^The address 192\.168\.0\.2 of net0 of VM vm-1 \(id 1\) is held for nobody soon in the database, .*: clone the VM/,
  ],
  [
    "a VM's address is reserved with a MAC",
    (s) => Object.assign(rowOf(s, 1), { vmId: null, hasReservedMac: true }),
    /^The address 192\.168\.0\.2 of net0 of VM vm-1 \(id 1\) is held for whoever asks for it in the database, .*: clone the VM/,
  ],
  [
    "a further interface's address is another VM's",
    (s) => {
      s.interfaces.push({ ...further, networkId: 1, ipv4: "192.168.0.3" });
    },
    /^The address 192\.168\.0\.3 of net1 of VM vm-1 \(id 1\) is held for VM vm-2 \(id 2\) in the database, .*: unplug/,
  ],
  [
    "an address is held for an interface that is gone",
    (s) => s.addresses.push({ networkId: 2, ipv4: "10.77.0.2", vmId: 1, hasReservedMac: false, isReleased: false }),
    /^The database holds 10\.77\.0\.2 of network 2 for VM vm-1 \(id 1\), which has no interface with that address, so no VM is given it: delete that row of its table addresses\.$/,
  ],
  [
    "an address is held for a VM that is deleted",
    (s) => s.addresses.push({ networkId: 1, ipv4: "192.168.0.9", vmId: 7, hasReservedMac: false, isReleased: false }),
    /^The database holds 192\.168\.0\.9 of network 1 for VM id 7, /,
  ],
];

test.each(planted)("it is told, once, when %s", (_what, plant, expected) => {
  expect(toldAfter(plant)).toEqual([expect.stringMatching(expected)]);
});
