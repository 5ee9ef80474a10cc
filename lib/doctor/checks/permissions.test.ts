import { expect, test } from "vitest";
import { type Planted, qemu, the, toldAfter } from "../testing/planted";

const planted: Planted[] = [
  [
    "a disk can be read by others",
    (s) => (the(s.files.get("/data/vms/1/disk.qcow2")).mode = 0o644),
    /disk\.qcow2 is open to more users than need it \(0644, at most 0600\): run chmod 0600/,
  ],
  [
    "a secret can be read by others",
    (s) => (the(s.files.get("/data/admin-token")).mode = 0o640),
    /admin-token is open/,
  ],
  ["a VM's folder can be entered", (s) => (the(s.files.get("/run/c/vms/1")).mode = 0o755), /\/run\/c\/vms\/1 is open/],
  [
    "a VM can write its own spec",
    (s) => (the(s.files.get("/data/vms/1/machine.json")).uid = 1_900_000_001),
    /machine\.json belongs to user 1900000001 and must be the agent's/,
  ],
  ["a QEMU is root", (s) => (qemu(s, 1).uid = 0), /QEMU process 101 runs as root/],
  [
    "a QEMU runs as another VM's user",
    (s) => (qemu(s, 1).uid = qemu(s, 2).uid),
    /runs as user 1900000002 and its disk .* belongs to user 1900000001/,
  ],
];

test("a screen that the console was handed is as it should be, one that all may open is told", () => {
  const withMode = (mode: number) => toldAfter((s) => (the(s.files.get("/run/c/vms/1/vnc.sock")).mode = mode));
  expect(withMode(0o660)).toEqual([]);
  expect(withMode(0o666)).toEqual([expect.stringMatching(/vnc\.sock is open .*run chmod 0660/)]);
});

test.each(planted)("it is told when %s", (_what, plant, told) => {
  expect(toldAfter(plant)).toContainEqual(expect.stringMatching(told));
});
