import type { Backup, BackupCopy } from "../../lib/domain/backup";
import { formatBytes } from "../../lib/domain/units";
import type { Tone } from "../ui/tone";

export const tierWords: Record<Backup["tier"], string> = {
  hourly: "Hourly",
  daily: "Daily",
  weekly: "Weekly",
  manual: "By hand",
};

export const backupStatusWords: Record<Backup["status"], { label: string; tone: Tone; moving: boolean }> = {
  taking: { label: "Taking the snapshot", tone: "info", moving: true },
  copying: { label: "Copying", tone: "info", moving: true },
  done: { label: "Done", tone: "ok", moving: false },
  failed: { label: "Failed", tone: "bad", moving: false },
};

/** As of when it is, RFC 3339: a run that was missed is caught up later than it was due. As long as nothing is taken, when that is due. */
export function momentOf({ takenAt, dueAt }: Pick<Backup, "takenAt" | "dueAt">): string {
  return takenAt ?? dueAt;
}

/** A copy in words. What the repository grew by may be more than the disk: it keeps records of its own with each copy. */
export function copyWords({ addedBytes, diskBytes }: BackupCopy, repositoryName: string): string {
  return `${formatBytes(diskBytes)} in ${repositoryName}, which grew by ${formatBytes(addedBytes)}; read back`;
}
