import { Cron } from "croner";
import * as z from "zod";

/** How often, each with its own retention. */
export const backupTiers = ["hourly", "daily", "weekly"] as const;
export type BackupTier = (typeof backupTiers)[number];

const keep = (most: number) => z.number().int().min(1).max(most).meta({ description: "How many of these to keep." });
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'Give a time of day, such as "03:30".');

export const timeZoneSchema = z
  .string()
  .max(64)
  .refine(isTimeZone, 'Give a time zone of the IANA database, such as "Europe/Berlin".');

/** `PUT /api/vms/{id}/backup-policy`: when snapshots are taken by themselves, how many stay, and where copies go. */
export const backupPolicySchema = z
  .strictObject({
    timeZone: timeZoneSchema,
    hourly: z.strictObject({ minute: z.number().int().min(0).max(59), keep: keep(168) }).nullable(),
    daily: z.strictObject({ time: timeOfDay, keep: keep(366) }).nullable(),
    weekly: z
      .strictObject({
        weekday: z.number().int().min(0).max(6).meta({ description: "0 is Sunday." }),
        time: timeOfDay,
        keep: keep(520),
      })
      .nullable(),
    /** Where each snapshot is also copied to; null for none. */
    repository: z.number().int().positive().nullable(),
  })
  .refine((policy) => backupTiers.some((tier) => policy[tier] !== null), {
    message: "Turn on at least one of hourly, daily and weekly, or remove the policy.",
    path: ["daily"],
  })
  .meta({ id: "BackupPolicy" });
export type BackupPolicy = z.infer<typeof backupPolicySchema>;

/** The next time that a tier is due after a moment, by the wall clock of the policy's time zone; null for a tier that is off. */
export function nextRunAt(policy: BackupPolicy, tier: BackupTier, after: Date): Date | null {
  const pattern = cronPattern(policy, tier);
  return pattern === null ? null : new Cron(pattern, { timezone: policy.timeZone }).nextRun(after);
}

function cronPattern({ hourly, daily, weekly }: BackupPolicy, tier: BackupTier): string | null {
  const clock = (time: string) => time.split(":").reverse().map(Number).join(" ");
  switch (tier) {
    case "hourly":
      return hourly && `${hourly.minute} * * * *`;
    case "daily":
      return daily && `${clock(daily.time)} * * *`;
    case "weekly":
      return weekly && `${clock(weekly.time)} * * ${weekly.weekday}`;
  }
}

/** From when on the name of a run's snapshot says that it was late: the clock strikes each minute, and a VM on its way is waited for. */
const lateMs = 5 * 60_000;

/**
 * What the snapshot of a run is called: "daily 2026-03-01 03:30", by the clock by which it is due. One that is caught up says when it was taken:
 * "daily 2026-03-01 03:30, taken 2026-03-04 10:00".
 */
export function runName({ timeZone }: BackupPolicy, tier: BackupTier, dueAt: Date, takenAt: Date): string {
  // Sweden's way of writing a time is ISO 8601's.
  const clock = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" });
  const name = `${tier} ${clock.format(dueAt)}`;
  return takenAt.getTime() - dueAt.getTime() < lateMs ? name : `${name}, taken ${clock.format(takenAt)}`;
}

/** Of backups of one tier, those that its retention no longer covers: all but the newest `keepCount`. */
export function expiredBackups<B extends { dueAt: Date }>(backups: readonly B[], keepCount: number): B[] {
  return [...backups].sort((a, b) => b.dueAt.getTime() - a.dueAt.getTime()).slice(keepCount);
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
