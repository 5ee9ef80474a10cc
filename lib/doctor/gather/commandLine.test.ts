import { expect, test } from "vitest";
import { readCommandLine } from "./commandLine";

const paths = { machines: "/data/vms", machineSockets: "/run/c/vms" };
const disk = {
  driver: "qcow2",
  file: { driver: "file", filename: "/data/vms/7/disk.qcow2" },
  backing: { driver: "qcow2", "read-only": true, file: { driver: "file", filename: "/data/images/a.qcow2" } },
};
const seed = { driver: "raw", "read-only": true, file: { driver: "file", filename: "/data/vms/7/seed.iso" } };

test("a QEMU's command line tells its VM, disk, MAC and sockets", () => {
  const argv = [
    ...["/usr/bin/qemu-system-x86_64", "-uuid", "u-7", "-vnc", "unix:/run/c/vms/7/vnc.sock,share=force-shared"],
    ...["-chardev", "socket,id=qmp,path=/run/c/vms/7/qmp.sock,server=on,wait=off"],
    ...["-blockdev", JSON.stringify(disk), "-blockdev", JSON.stringify(seed)],
    ...["-device", JSON.stringify({ driver: "virtio-net-pci", mac: "52:54:00:00:00:07" })],
  ];
  expect(readCommandLine(argv, paths)).toEqual({
    vmId: 7,
    uuid: "u-7",
    disks: ["/data/vms/7/disk.qcow2"],
    macs: ["52:54:00:00:00:07"],
    sockets: ["/run/c/vms/7/vnc.sock", "/run/c/vms/7/qmp.sock"],
  });
});

test("a comma in a path, doubled as QEMU wants it, is read as one", () => {
  const argv = ["qemu-system-x86_64", "-chardev", "socket,id=q,path=/run/a,,b/vms/7/qmp.sock,server=on"];
  expect(readCommandLine(argv, { ...paths, machineSockets: "/run/a,b/vms" })?.vmId).toBe(7);
});

test("a QEMU of our disk without our sockets counts as ours, and as no VM", () => {
  const facts = readCommandLine(["qemu-system-x86_64", "-blockdev", JSON.stringify(disk)], paths);
  expect(facts).toMatchObject({ vmId: null, uuid: null, disks: ["/data/vms/7/disk.qcow2"] });
});

test.each([
  ["another installation's QEMU", ["qemu-system-x86_64", "-chardev", "socket,id=q,path=/run/other/vms/7/qmp.sock"]],
  [
    "a QEMU in a folder with a longer name",
    ["qemu-system-x86_64", "-chardev", "socket,path=/run/c/vms-old/7/qmp.sock"],
  ],
  ["a program that only names a socket of ours", ["socat", "-chardev", "socket,path=/run/c/vms/7/qmp.sock"]],
])("%s is not ours", (_what, argv) => {
  expect(readCommandLine(argv, paths)).toBeNull();
});
