import { expect, test } from "vitest";
import { disagreementsIn } from "../checks";
import { addSnapshot, type HealthySnapshot, type Planted, the, toldAfter } from "../testing/planted";
import { healthySnapshot, nowMs } from "../testSnapshot";

const planted: Planted[] = [
  [
    "a snapshot of the database is not on the host",
    loseSnapshot,
    /The snapshot before \(id 5\) of VM vm-1 is gone: bring \/data\/snapshots\/5 back, or delete it/,
  ],
  [
    "a snapshot on the host is not in the database",
    (s) => {
      addSnapshot(s);
      s.snapshotRows.pop();
    },
    /\/data\/snapshots\/5 is no snapshot of the database: if nobody needs it, remove it with rm -r \/data\/snapshots\/5/,
  ],
  [
    "a backup waits for a snapshot that was deleted",
    (s) => strand(s, 5 * 60_000 + 1),
    /The backup 8 of VM vm-1 waits for the snapshot 5, which is deleted/,
  ],
];

test.each(planted)("it is told when %s", (_what, plant, told) => {
  expect(toldAfter(plant)).toEqual([expect.stringMatching(told)]);
});

const innocent: [what: string, change: (snapshot: HealthySnapshot) => void][] = [
  [
    "a snapshot is being taken or deleted",
    (s) => {
      loseSnapshot(s);
      the(s.snapshotRows[0]).isUnderWay = true;
    },
  ],
  ["a snapshot was deleted before it was copied, and the console has yet to note that", (s) => strand(s, 60_000)],
];

test.each(innocent)("nothing is told when %s", (_what, change) => {
  const snapshot = healthySnapshot();
  change(snapshot);
  expect(disagreementsIn(snapshot)).toEqual([]);
});

/** The layer stays: the VM's disk builds on it. */
function loseSnapshot(snapshot: HealthySnapshot): void {
  addSnapshot(snapshot);
  snapshot.snapshotFolders.pop();
}

function strand(snapshot: HealthySnapshot, sinceMs: number): void {
  snapshot.strandedBackups.push({ id: 8, vmName: "vm-1", snapshotId: 5, snapshotDeletedAtMs: nowMs - sinceMs });
}
