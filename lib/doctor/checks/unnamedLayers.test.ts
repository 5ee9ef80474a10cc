import { expect, test } from "vitest";
import { disagreementsIn } from "../checks";
import { type HealthySnapshot, machine, qemu, the, vm } from "../testing/planted";
import { file, folder, healthySnapshot, imageSha256, nowMs } from "../testSnapshot";

const id = "d".repeat(16);
const told = expect.stringMatching(/The layer \/data\/layers\/d+\.qcow2 takes room, and no disk, snapshot or layer/);

test("a layer that nothing names is told", () => {
  expect(toldAfter(() => {})).toEqual([told]);
});

const namers: [who: string, name: (snapshot: HealthySnapshot) => void][] = [
  ["a disk builds on it", (s) => Object.assign(the(machine(s, 3).record ?? undefined), { parent: id })],
  [
    "a disk is about to become it, or one that a restore has replaced builds on it",
    (s) => the(machine(s, 3).record ?? undefined).otherLayers.push(id),
  ],
  [
    "it is a snapshot's",
    (s) => {
      s.snapshotFolders.push({ id: 6, layerId: id });
      s.snapshotRows.push({ id: 6, name: "its", vmName: "vm-3", isUnderWay: false });
    },
  ],
];

test.each(namers)("a layer is not told when %s", (_who, name) => {
  expect(toldAfter(name)).toEqual([]);
});

test("of layers that nothing names, and that build on each other, the top one is told: the next is named by it", () => {
  const above = "e".repeat(16);
  const snapshot = withUnnamed();
  addLayer(snapshot, above, id);
  const first = disagreementsIn(snapshot).map(({ message }) => message);
  expect(first).toEqual([expect.stringContaining(`${above}.qcow2 takes room`)]);
});

const waits: [what: string, change: (snapshot: HealthySnapshot) => void][] = [
  ["it was made just now", (s) => touch(s, `/data/layers/${id}.qcow2`)],
  ["a snapshot was deleted just now", (s) => touch(s, "/data/snapshots")],
  ["a VM's disk was replaced just now", (s) => touch(s, "/data/vms/3/disk.json")],
  [
    "a long task may read from it",
    (s) => s.openOperations.push({ id: 9, kind: "export", vmId: 3, isVmDeleted: false, dueFromMs: null }),
  ],
  ["another is being merged", (s) => touch(s, "/data/layers/.merging-aaaaaaaaaaaaaaaa.qcow2")],
  [
    "a QEMU merges another into its disk",
    (s) => (qemu(s, 1).qmp = { answers: true, uuid: vm(s, 1).uuid, status: "running", hasBlockJob: true }),
  ],
  ["somebody looks into a snapshot", (s) => touch(s, "/run/c/guestfish-aB3xYz")],
];

test.each(waits)("a layer that nothing names is not told while %s", (_what, change) => {
  expect(toldAfter(change)).toEqual([]);
});

test("a layer is not told for unnamed that a snapshot which can't be read may name: that one is told", () => {
  const broken = toldAfter((s) => {
    s.snapshotFolders.push({ id: 6, layerId: null });
    s.snapshotRows.push({ id: 6, name: "its", vmName: "vm-3", isUnderWay: false });
  });
  expect(broken).toEqual([expect.stringMatching(/^The snapshot in \/data\/snapshots\/6 can't be read/)]);
});

function withUnnamed(): HealthySnapshot {
  const snapshot = healthySnapshot();
  snapshot.files.set("/data/snapshots", folder(0o700));
  addLayer(snapshot, id, null);
  return snapshot;
}

function toldAfter(change: (snapshot: HealthySnapshot) => void): string[] {
  const snapshot = withUnnamed();
  change(snapshot);
  return disagreementsIn(snapshot).map(({ message }) => message);
}

function addLayer(snapshot: HealthySnapshot, layerId: string, parent: string | null): void {
  snapshot.layers.push({ id: layerId, manifest: { parent, imageSha256 }, hasFile: true, damage: null });
  snapshot.files.set(`/data/layers/${layerId}.qcow2`, file(0o440));
  snapshot.files.set(`/data/layers/${layerId}.json`, file(0o600));
}

function touch(snapshot: HealthySnapshot, path: string): void {
  snapshot.files.set(path, { ...(snapshot.files.get(path) ?? file(0o600)), modifiedAtMs: nowMs - 60_000 });
}
