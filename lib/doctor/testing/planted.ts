import { disagreementsIn } from "../checks";
import type { LayerFact } from "../snapshot";
import { file, healthySnapshot, imageSha256, nowMs } from "../testSnapshot";

export type HealthySnapshot = ReturnType<typeof healthySnapshot>;

/** Something that is wrong: what to do to a healthy snapshot, and what must be told of it. */
export type Planted = [what: string, plant: (snapshot: HealthySnapshot) => void, told: RegExp];

/** What is told of an installation in which everything agrees but what is planted. */
export function toldAfter(plant: (snapshot: HealthySnapshot) => void): string[] {
  const snapshot = healthySnapshot();
  plant(snapshot);
  return disagreementsIn(snapshot).map(({ message }) => message);
}

/** A fact that a healthy snapshot holds. */
export function the<T>(fact: T | undefined): T {
  if (fact === undefined) throw new Error("The healthy snapshot holds no such thing.");
  return fact;
}

export const vm = (snapshot: HealthySnapshot, id: number) => the(snapshot.vms.find((one) => one.id === id));
export const machine = (snapshot: HealthySnapshot, id: number) => the(snapshot.machines.find((one) => one.id === id));
export const qemu = (snapshot: HealthySnapshot, id: number) => the(snapshot.processes.find(({ vmId }) => vmId === id));
export const removeQemu = (snapshot: HealthySnapshot, id: number) =>
  snapshot.processes.splice(
    snapshot.processes.findIndex(({ vmId }) => vmId === id),
    1,
  );

/** A snapshot with id 5 of VM 1, whose disk builds on its layer. */
export function addSnapshot(snapshot: HealthySnapshot, change: Partial<LayerFact> = {}): void {
  const id = "b".repeat(16);
  const manifest = { parent: null, imageSha256 };
  snapshot.layers.push({ id, manifest, hasFile: true, damage: null, ...change });
  snapshot.snapshotFolders.push({ id: 5, layerId: id });
  snapshot.snapshotRows.push({ id: 5, name: "before", vmName: "vm-1", isUnderWay: false });
  Object.assign(machine(snapshot, 1), {
    record: { ...the(machine(snapshot, 1).record ?? undefined), disk: "disk-00000000000000cc.qcow2", parent: id },
    disk: { opens: true, backingFile: "/data/layers/another", damage: null },
  });
  snapshot.files.set("/data/vms/1/disk-00000000000000cc.qcow2", file(0o600, 1_900_000_001));
  snapshot.files.delete("/data/vms/1/disk.qcow2");
  snapshot.files.set(`/data/layers/${id}.qcow2`, file(0o440));
  snapshot.files.set(`/data/layers/${id}.json`, file(0o600));
}

/** A manifest of an image, as it lies beside its file. */
export function addManifest(snapshot: HealthySnapshot, sha256: string, name: string): void {
  const path = `/data/images/${sha256}.${name}.json`;
  snapshot.files.set(path, file(0o600));
  snapshot.manifests.push({ path, image: { sha256, name }, modifiedAtMs: nowMs - 3600_000 });
}
