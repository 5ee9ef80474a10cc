import type { BackupPolicy } from "../../lib/domain/backupPolicy";

/** A policy as the form holds it: numbers are texts, and what is off keeps its values. */
export interface PolicyForm {
  timeZone: string;
  hourly: { isOn: boolean; minute: string; keep: string };
  daily: { isOn: boolean; time: string; keep: string };
  weekly: { isOn: boolean; weekday: string; time: string; keep: string };
  repository: string;
}

/** @param timeZone the browser's own, for a VM that has no policy yet */
export function formOf(policy: BackupPolicy | null, timeZone: string): PolicyForm {
  return {
    timeZone: policy?.timeZone ?? timeZone,
    hourly: {
      isOn: Boolean(policy?.hourly),
      minute: String(policy?.hourly?.minute ?? 0),
      keep: String(policy?.hourly?.keep ?? 24),
    },
    daily: {
      isOn: policy === null || policy.daily !== null,
      time: policy?.daily?.time ?? "03:00",
      keep: String(policy?.daily?.keep ?? 7),
    },
    weekly: {
      isOn: Boolean(policy?.weekly),
      weekday: String(policy?.weekly?.weekday ?? 0),
      time: policy?.weekly?.time ?? "03:30",
      keep: String(policy?.weekly?.keep ?? 4),
    },
    repository: policy?.repository ? String(policy.repository) : "",
  };
}

/** What the API is sent. A number that is none becomes NaN, which it refuses by its field. */
export function policyOf({ timeZone, hourly, daily, weekly, repository }: PolicyForm): BackupPolicy {
  return {
    timeZone,
    hourly: hourly.isOn ? { minute: Number(hourly.minute), keep: Number(hourly.keep) } : null,
    daily: daily.isOn ? { time: daily.time, keep: Number(daily.keep) } : null,
    weekly: weekly.isOn ? { weekday: Number(weekly.weekday), time: weekly.time, keep: Number(weekly.keep) } : null,
    repository: repository === "" ? null : Number(repository),
  };
}

export const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;
