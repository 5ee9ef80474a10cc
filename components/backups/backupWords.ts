import type { Backup } from "../../lib/domain/backup";
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
