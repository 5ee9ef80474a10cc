import { join } from "node:path";
import type { Disagreement, Snapshot } from "../snapshot";

const check = "snapshots";

/** The console looks once a minute for backups whose snapshot is gone. */
const notedWithinMs = 5 * 60_000;

/** Every snapshot of the database is on the host, and every one on the host is in the database; no backup waits for one that is gone. */
export function checkSnapshots(snapshot: Snapshot): Disagreement[] {
  return [...rowsWithoutFolder(snapshot), ...foldersWithoutRow(snapshot), ...strandedBackups(snapshot)];
}

function rowsWithoutFolder({ snapshotRows, snapshotFolders, paths }: Snapshot): Disagreement[] {
  const there = new Set(snapshotFolders.map(({ id }) => id));
  return snapshotRows
    .filter(({ id, isUnderWay }) => !isUnderWay && !there.has(id))
    .map(({ id, name, vmName }) => ({
      check,
      subject: `${id} row`,
      message: `The snapshot ${name} (id ${id}) of VM ${vmName} is gone: bring ${join(paths.snapshots, String(id))} back, or delete it.`,
    }));
}

function foldersWithoutRow({ snapshotRows, snapshotFolders, paths }: Snapshot): Disagreement[] {
  const known = new Set(snapshotRows.map(({ id }) => id));
  return snapshotFolders
    .filter(({ id }) => !known.has(id))
    .map(({ id }) => {
      const path = join(paths.snapshots, String(id));
      return {
        check,
        subject: `${id} folder`,
        message: `${path} is no snapshot of the database: if nobody needs it, remove it with rm -r ${path} and restart the agent, which gives back the space of its layers.`,
      };
    });
}

function strandedBackups({ strandedBackups: stranded, takenAtMs }: Snapshot): Disagreement[] {
  return stranded
    .filter(({ snapshotDeletedAtMs }) => takenAtMs - snapshotDeletedAtMs > notedWithinMs)
    .map(({ id, vmName, snapshotId }) => ({
      check,
      subject: `${id} backup`,
      message: `The backup ${id} of VM ${vmName} waits for the snapshot ${snapshotId}, which is deleted: the console notes that within a minute, so see its log.`,
    }));
}
