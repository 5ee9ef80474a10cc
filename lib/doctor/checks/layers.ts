import { basename, dirname, join } from "node:path";
import type { Disagreement, Snapshot } from "../snapshot";
import { nameOfId } from "./words";

const check = "layers";

/** What crashes leave is swept when the agent starts; what is under way may take this long. */
const underWayMs = 60 * 60_000;

/** Every layer is whole and sound, and all that a disk, a snapshot or another layer builds on is there. */
export function checkLayers(snapshot: Snapshot): Disagreement[] {
  return [...brokenLayers(snapshot), ...missingParents(snapshot), ...brokenSnapshots(snapshot), ...leftovers(snapshot)];
}

function brokenLayers({ layers, paths, files }: Snapshot): Disagreement[] {
  return layers.flatMap(({ id, manifest, hasFile, damage }) => {
    const path = join(paths.layers, `${id}.qcow2`);
    const tell = (subject: string, message: string) => [{ check, subject: `${id} ${subject}`, message }];
    if (!hasFile) return tell("file", `The layer ${path} is gone: bring the file back, or delete what builds on it.`);
    if (manifest === null)
      return tell("manifest", `The layer ${path} has no manifest that can be read: bring ${id}.json back.`);
    if (damage !== null) return tell("damage", `The layer ${path} is damaged (${damage}): bring back a copy of it.`);
    const image = manifest.imageSha256 && join(paths.images, `${manifest.imageSha256}.qcow2`);
    if (image === null || files.has(image)) return [];
    return tell("image", `The image ${image}, on which the layer ${id} builds, is gone: bring that file back.`);
  });
}

function missingParents(snapshot: Snapshot): Disagreement[] {
  const known = new Set(snapshot.layers.map(({ id }) => id));
  const named = [
    ...snapshot.layers.map(({ id, manifest }) => ({ who: `the layer ${id}`, parent: manifest?.parent ?? null })),
    ...snapshot.machines.map(({ id, record }) => ({
      who: `the disk of ${nameOfId(snapshot, id)}`,
      parent: record?.parent ?? null,
    })),
    ...snapshot.snapshotFolders.map(({ id, layerId }) => ({ who: `the snapshot ${id}`, parent: layerId })),
  ];
  return named.flatMap(({ who, parent }) =>
    parent === null || known.has(parent)
      ? []
      : [
          {
            check,
            subject: `${who} parent`,
            message: `There is no layer ${join(snapshot.paths.layers, `${parent}.qcow2`)}, on which ${who} builds: bring it and its manifest back.`,
          },
        ],
  );
}

function brokenSnapshots({ snapshotFolders, paths }: Snapshot): Disagreement[] {
  return snapshotFolders
    .filter(({ layerId }) => layerId === null)
    .map(({ id }) => ({
      check,
      subject: `snapshot ${id}`,
      message: `The snapshot in ${join(paths.snapshots, String(id))} can't be read or lacks its memory: delete it.`,
    }));
}

function leftovers({ files, paths, takenAtMs }: Snapshot): Disagreement[] {
  return [...files]
    .filter(([path, { modifiedAtMs }]) => {
      const isOurs = [paths.layers, paths.snapshots].includes(dirname(path)) && basename(path).startsWith(".");
      return isOurs && takenAtMs - modifiedAtMs > underWayMs;
    })
    .map(([path]) => ({
      check,
      subject: path,
      message: `${path} was left half made: restart the agent, which sweeps it.`,
    }));
}
