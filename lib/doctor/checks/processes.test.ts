import { expect, test } from "vitest";
import { type Planted, qemu, removeQemu, toldAfter } from "../testing/planted";
import { processFact } from "../testSnapshot";

const planted: Planted[] = [
  ["a QEMU belongs to no VM", (s) => s.vms.splice(1, 1), /QEMU process 102 .* is no VM of the database: .* kill 102/],
  [
    "a QEMU has another VM's folder",
    (s) => (qemu(s, 1).vmId = 3),
    /QEMU process 101 has the uuid of VM vm-1 .* and the sockets of VM id 3/,
  ],
  [
    "another QEMU answers on a VM's sockets",
    (s) => (qemu(s, 1).qmp = { answers: true, uuid: "other", status: "running", hasBlockJob: false }),
    /was started with the uuid .* and answers with other/,
  ],
  [
    "a VM has two QEMUs",
    (s) => s.processes.push({ ...processFact(1), pid: 900 }),
    /VM vm-1 \(id 1\) has 2 QEMU processes \(101, 900\)/,
  ],
  ["a VM that runs has no QEMU", (s) => removeQemu(s, 1), /said to be running and no QEMU process is its/],
  [
    "a VM that is off has a QEMU",
    (s) => s.processes.push({ ...processFact(3), pid: 103 }),
    /VM vm-3 \(id 3\) is to be off and runs as process 103/,
  ],
];

test.each(planted)("it is told when %s", (_what, plant, told) => {
  expect(toldAfter(plant)).toContainEqual(expect.stringMatching(told));
});
