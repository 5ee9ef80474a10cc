import { expect, test } from "vitest";
import { machine, type Planted, toldAfter } from "../testing/planted";

const planted: Planted[] = [
  [
    "a VM's state names a foreign process",
    (s) => (machine(s, 3).recordedProcess = { pid: 1, program: "systemd" }),
    /state\.json says that process 1 is the QEMU of VM vm-3 .*, and it is systemd/,
  ],
  [
    "a pid file names a foreign process",
    (s) => s.pidFiles.push({ path: "/run/c/console.pid", process: { pid: 1, program: "systemd" } }),
    /console\.pid names process 1, which is systemd and no part of Cumulus/,
  ],
];

test.each(planted)("it is told when %s", (_what, plant, told) => {
  expect(toldAfter(plant)).toContainEqual(expect.stringMatching(told));
});
