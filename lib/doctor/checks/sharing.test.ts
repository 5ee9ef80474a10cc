import { expect, test } from "vitest";
import { machine, type Planted, qemu, toldAfter, vm } from "../testing/planted";

const planted: Planted[] = [
  ["a name is given twice", (s) => (vm(s, 2).name = "vm-1"), /the name vm-1 to VM vm-1 \(id 1\) and VM vm-1 \(id 2\)/],
  ["an address is given twice", (s) => (vm(s, 2).ipv4 = vm(s, 1).ipv4), /the address 192\.168\.0\.2 of network 1 to/],
  ["a MAC is given twice", (s) => (vm(s, 2).mac = vm(s, 1).mac), /the MAC 52:54:00:00:00:01 to/],
  ["a port is given twice", (s) => (vm(s, 2).sshHostPort = 20_001), /the SSH port 20001 of host 1 to/],
  [
    "a folder is a copy",
    (s) => s.machines.push({ ...machine(s, 1), id: 9 }),
    /folders of VM vm-1 \(id 1\) and VM id 9 both name the uuid/,
  ],
  [
    "two QEMUs have one disk",
    (s) => (qemu(s, 2).disks = qemu(s, 1).disks),
    /processes 101 and 102 have the same disk \/data\/vms\/1\/disk\.qcow2/,
  ],
  [
    "two QEMUs have one socket",
    (s) => qemu(s, 2).sockets.push("/run/c/vms/1/qmp.sock"),
    /have the same socket \/run\/c\/vms\/1\/qmp\.sock/,
  ],
];

test.each(planted)("it is told when %s", (_what, plant, told) => {
  expect(toldAfter(plant)).toContainEqual(expect.stringMatching(told));
});
