import { expect, test } from "vitest";
import { type BackupPolicy, backupPolicySchema, expiredBackups, nextRunAt, runName } from "./backupPolicy";

const policy: BackupPolicy = {
  timeZone: "Europe/Berlin",
  hourly: { minute: 15, keep: 24 },
  daily: { time: "02:30", keep: 7 },
  weekly: { weekday: 0, time: "04:05", keep: 4 },
  repository: null,
};
const next = (tier: "hourly" | "daily" | "weekly", after: string, given = policy) =>
  nextRunAt(given, tier, new Date(after))?.toISOString();

test("runs are due by the wall clock of the policy's time zone", () => {
  expect(next("hourly", "2026-11-22T10:15:00Z")).toBe("2026-11-22T11:15:00.000Z");
  expect(next("daily", "2026-11-22T10:00:00Z")).toBe("2026-11-23T01:30:00.000Z");
  expect(next("daily", "2026-07-01T10:00:00Z")).toBe("2026-07-02T00:30:00.000Z");
  expect(next("weekly", "2026-11-22T10:00:00Z")).toBe("2026-11-29T03:05:00.000Z");
});

test("the day on which the clock skips the hour has its run, and the day that has it twice has one", () => {
  const spring = next("daily", "2026-03-29T00:00:00Z");
  expect(Date.parse(spring ?? "")).toBeLessThan(Date.parse("2026-03-29T02:00:00Z"));
  const autumn = new Date(next("daily", "2026-10-24T23:00:00Z") ?? "");
  expect(nextRunAt(policy, "daily", autumn)?.toISOString()).toBe("2026-10-26T01:30:00.000Z");
});

test("a weekly run keeps its day over a skipped hour, and comes once on the day that has its hour twice", () => {
  const weekly = { ...policy, weekly: { weekday: 0, time: "02:30", keep: 4 } } as const;
  const spring = Date.parse(next("weekly", "2026-03-28T00:00:00Z", weekly) ?? "");
  expect(spring).toBeGreaterThanOrEqual(Date.parse("2026-03-29T00:00:00Z"));
  expect(spring).toBeLessThan(Date.parse("2026-03-29T02:00:00Z"));
  const autumn = next("weekly", "2026-10-24T23:00:00Z", weekly) ?? "";
  expect(autumn.slice(0, 10)).toBe("2026-10-25");
  expect(next("weekly", autumn, weekly)).toBe("2026-11-01T01:30:00.000Z");
});

test("an hourly run comes each hour that passes: twice in the one that the clock has twice, and never in the one that it skips", () => {
  const runs = (after: string) => {
    const found = [];
    for (let at = after; found.length < 3; found.push(at)) at = next("hourly", at) ?? "";
    return found.map((at) => at.slice(11, 16));
  };
  expect(runs("2026-10-24T23:15:00Z")).toEqual(["00:15", "01:15", "02:15"]);
  expect(runs("2026-03-28T23:15:00Z")).toEqual(["00:15", "01:15", "02:15"]);
});

test("the minute of an hourly run is that of a zone half an hour off", () => {
  expect(next("hourly", "2026-11-22T10:00:00Z", { ...policy, timeZone: "Asia/Kolkata" })).toBe(
    "2026-11-22T10:45:00.000Z",
  );
});

test("a run is named by the wall clock by which it is due", () => {
  const due = new Date("2026-11-23T01:30:00Z");
  const minuteLater = new Date("2026-11-23T01:31:00Z");
  expect(runName(policy, "daily", due, minuteLater)).toBe("daily 2026-11-23 02:30");
  expect(runName({ ...policy, timeZone: "UTC" }, "hourly", due, minuteLater)).toBe("hourly 2026-11-23 01:30");
});

test("the name of a run that is caught up says when it was taken", () => {
  const [due, taken] = [new Date("2026-11-23T01:30:00Z"), new Date("2026-11-27T09:00:00Z")];
  expect(runName(policy, "daily", due, taken)).toBe("daily 2026-11-23 02:30, taken 2026-11-27 10:00");
});

test("a tier that is off is never due", () => {
  expect(next("weekly", "2026-11-22T10:00:00Z", { ...policy, weekly: null })).toBeUndefined();
});

test("all but the newest are expired", () => {
  const at = (day: number) => ({ dueAt: new Date(Date.UTC(2026, 0, day)) });
  expect(expiredBackups([at(2), at(4), at(1), at(3)], 2)).toEqual([at(2), at(1)]);
  expect(expiredBackups([at(1)], 2)).toEqual([]);
});

test.each([
  [{ timeZone: "Middle-earth/Shire" }, "timeZone"],
  [{ daily: { time: "24:00", keep: 1 } }, "daily.time"],
  [{ daily: { time: "3:00", keep: 1 } }, "daily.time"],
  [{ hourly: { minute: 60, keep: 1 } }, "hourly.minute"],
  [{ weekly: { weekday: 7, time: "03:00", keep: 1 } }, "weekly.weekday"],
  [{ daily: { time: "03:00", keep: 0 } }, "daily.keep"],
  [{ hourly: null, daily: null, weekly: null }, "daily"],
])("%j is refused, naming %s", (values, field) => {
  const parsed = backupPolicySchema.safeParse({ ...policy, ...values });
  expect(parsed.error?.issues.map(({ path }) => path.join("."))).toEqual([field]);
});
