import { expect, test } from "vitest";
import { type HealthySnapshot, machine, type Planted, the, toldAfter } from "../testing/planted";
import { file, folder, nowMs } from "../testSnapshot";

const planted: Planted[] = [
  [
    "a disk that is on no record lies in a VM's folder",
    (s) => s.files.set("/data/vms/3/disk-00000000000000aa.qcow2", file(0o600, 1_900_000_003)),
    /disk-00000000000000aa\.qcow2 is no file of Cumulus'/,
  ],
  [
    "the folder of a deleted VM is left",
    (s) => s.files.set("/data/vms/7", folder(0o710)),
    /\/data\/vms\/7 belongs to no VM of the database/,
  ],
  [
    "the sockets of a deleted VM are left",
    (s) => s.files.set("/run/c/vms/7", folder(0o710)),
    /\/run\/c\/vms\/7 belongs to no VM/,
  ],
  [
    "a folder was left half made",
    (s) => s.files.set("/data/vms/.making-3", folder(0o700)),
    /\/data\/vms\/\.making-3 belongs to no VM/,
  ],
  [
    "a file that isn't ours lies in a VM's folder",
    (s) => s.files.set("/data/vms/1/notes.txt", file(0o600)),
    /\/data\/vms\/1\/notes\.txt is no file of Cumulus'/,
  ],
  [
    "a file on its way was left",
    (s) => s.files.set("/data/staging/seed-abc", { ...folder(0o700), modifiedAtMs: nowMs - 3_600_001 }),
    /seed-abc has been on its way for more than an hour/,
  ],
  [
    "a restore could not give back the disk",
    plantReplaced,
    /\/data\/vms\/3\/disk-00000000000000aa\.qcow2 is the disk that VM vm-3 \(id 3\) had before a restore that failed/,
  ],
  [
    "what looks into a snapshot was left",
    (s) => s.files.set("/run/c/guestfish-aB3xYz", { ...folder(0o700), modifiedAtMs: nowMs - 86_400_001 }),
    /guestfish-aB3xYz is of a look into a snapshot that began more than a day ago/,
  ],
];

test.each(planted)("it is told when %s", (_what, plant, told) => {
  expect(toldAfter(plant)).toContainEqual(expect.stringMatching(told));
});

/** A restore has replaced the disk of VM 3. */
function plantReplaced(snapshot: HealthySnapshot): void {
  const restored = machine(snapshot, 3);
  restored.isBeingRestored = true;
  the(restored.record ?? undefined).replaced = ["disk-00000000000000aa.qcow2", "uefi-vars.fd"];
  snapshot.files.set("/data/vms/3/disk-00000000000000aa.qcow2", file(0o600, 1_900_000_003));
}

test("a disk that a restore has replaced, and may give back, is not told while that is under way", () => {
  const told = toldAfter((s) => {
    plantReplaced(s);
    s.openOperations.push({ id: 9, kind: "snapshot-restore", vmId: 3, isVmDeleted: false, dueFromMs: null });
  });
  expect(told.filter((message) => message.includes("disk-00000000000000aa"))).toEqual([]);
});
