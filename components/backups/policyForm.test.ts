import { expect, test } from "vitest";
import { type BackupPolicy, backupPolicySchema } from "../../lib/domain/backupPolicy";
import { formOf, policyOf } from "./policyForm";

const policy: BackupPolicy = {
  timeZone: "Europe/Berlin",
  hourly: { minute: 5, keep: 12 },
  daily: null,
  weekly: { weekday: 3, time: "22:15", keep: 9 },
  repository: 4,
};

test("a policy comes back from the form as it went in", () => {
  expect(policyOf(formOf(policy, "UTC"))).toEqual(policy);
});

test("a VM without a policy is offered one that the API takes", () => {
  const offered = policyOf(formOf(null, "America/New_York"));
  expect(backupPolicySchema.safeParse(offered).success).toBe(true);
  expect(offered).toMatchObject({ timeZone: "America/New_York", daily: { time: "03:00", keep: 7 }, repository: null });
});

test("a number that is none is refused by its field", () => {
  const form = { ...formOf(policy, "UTC"), hourly: { isOn: true, minute: "five", keep: "" } };
  const paths = backupPolicySchema.safeParse(policyOf(form)).error?.issues.map(({ path }) => path.join("."));
  expect(paths).toEqual(["hourly.minute", "hourly.keep"]);
});
