import { basename, dirname, join } from "node:path";
import type { Disagreement, LayerFact, Snapshot } from "../snapshot";
import { looksIn } from "./words";

const check = "layers";

/** The agent gives back what nothing names as soon as it comes to it. */
const givenBackWithinMs = 10 * 60_000;

/** Every layer is one that a disk, a snapshot or another layer names, or takes room for nothing. */
export function checkUnnamedLayers(snapshot: Snapshot): Disagreement[] {
  if (mayHoldLayers(snapshot)) return [];
  return unnamedLayers(snapshot)
    .filter(({ id }) => snapshot.takenAtMs - lastChangeMs(snapshot, id) > givenBackWithinMs)
    .map(({ id }) => ({
      check,
      subject: `${id} unnamed`,
      message: `The layer ${fileOf(snapshot, id)} takes room, and no disk, snapshot or layer builds on it: restart the agent, which gives it back.`,
    }));
}

/** Layers that nothing names. Some work holds such layers until it is done. Pure. */
export function unnamedLayers({ layers, machines, snapshotFolders }: Snapshot): LayerFact[] {
  const named = new Set([
    ...layers.map(({ manifest }) => manifest?.parent),
    ...machines.flatMap(({ record }) => [record?.parent, ...(record?.otherLayers ?? [])]),
    ...snapshotFolders.map(({ layerId }) => layerId),
  ]);
  return layers.filter(({ id }) => !named.has(id));
}

/**
 * What is read from layers keeps them though the snapshot that named them was deleted meanwhile, and while one is merged the others wait. A disk's or a
 * snapshot's record that can't be read may name any.
 */
function mayHoldLayers(snapshot: Snapshot): boolean {
  const { openOperations, files, paths, processes, machines, snapshotFolders } = snapshot;
  const isUnreadable =
    machines.some(({ record }) => record === null) || snapshotFolders.some((one) => one.layerId === null);
  const hasTask = openOperations.some(({ dueFromMs }) => dueFromMs === null);
  const isWorking = [...files.keys()].some((path) => dirname(path) === paths.layers && basename(path).startsWith("."));
  const isMerging = (processes ?? []).some(({ qmp }) => !qmp.answers || qmp.hasBlockJob);
  return isUnreadable || hasTask || isWorking || isMerging || looksIn(snapshot).length > 0;
}

/** Of the layer, or of who may have named it. */
function lastChangeMs(snapshot: Snapshot, id: string): number {
  const { paths, files } = snapshot;
  const places = [
    fileOf(snapshot, id),
    join(paths.layers, `${id}.json`),
    ...[paths.snapshots, paths.machines],
    ...snapshot.machines.map((machine) => join(paths.machines, String(machine.id), "disk.json")),
  ];
  return Math.max(...places.map((path) => files.get(path)?.modifiedAtMs ?? 0));
}

function fileOf({ paths }: Snapshot, id: string): string {
  return join(paths.layers, `${id}.qcow2`);
}
