import { expect, test } from "vitest";
import { machine, type Planted, the, toldAfter } from "../testing/planted";

const planted: Planted[] = [
  ["a VM's folder is gone", (s) => s.machines.splice(2, 1), /The folder \/data\/vms\/3 of VM vm-3 \(id 3\) is gone/],
  ["a spec can't be read", (s) => (machine(s, 1).spec = null), /machine\.json of VM vm-1 .* can't be read/],
  [
    "a spec and its row differ",
    (s) => (the(machine(s, 3).spec ?? undefined).ipv4 = "192.168.0.9"),
    /address 192\.168\.0\.9 and the database gives it 192\.168\.0\.4/,
  ],
  [
    "a machine's file has another ISO in its drive than the database",
    (s) => Object.assign(the(s.machines[0]?.spec ?? undefined), { cdromSha256: "d".repeat(64) }),
    /the ISO in its drive d+ and the database/,
  ],
];

test.each(planted)("it is told when %s", (_what, plant, told) => {
  expect(toldAfter(plant)).toContainEqual(expect.stringMatching(told));
});
