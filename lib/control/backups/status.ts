import type { backups } from "../../db/schema/backups";
import type { snapshots } from "../../db/schema/vms";
import type { Backup } from "../../domain/backup";

type SnapshotRow = typeof snapshots.$inferSelect;

/** How far a backup is. @param snapshot the one that it was made from; null when none could be asked for */
export function statusOf(backup: typeof backups.$inferSelect, snapshot: SnapshotRow | null): Backup["status"] {
  if (backup.error !== null) return "failed";
  if (!snapshot?.manifest) return "taking";
  return backup.repositoryId !== null && backup.copy === null ? "copying" : "done";
}

/** Whether a VM can be put back to a snapshot: it was taken, and is not being deleted. */
export function isThere(snapshot: SnapshotRow | null): snapshot is SnapshotRow {
  return snapshot !== null && snapshot.manifest !== null && snapshot.desired === "present";
}
