"use client";

import { useState } from "react";
import { apiRequest } from "../../lib/api/client";
import { formatExact } from "../../lib/browser/time";
import type { BackupRepository } from "../../lib/domain/backup";
import { type BackupPolicy, backupPolicySchema } from "../../lib/domain/backupPolicy";
import { plainWords } from "../../lib/domain/plainWords";
import type { Vm } from "../../lib/domain/vm";
import { keys } from "../data/keys";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";
import { notify } from "../ui/notify";
import { Select } from "../ui/Select";
import { TextLink } from "../ui/TextLink";
import { formOf, type PolicyForm, policyOf, weekdays } from "./policyForm";
import { TierRow } from "./TierRow";

interface PolicyCardProps {
  vm: Vm;
  policy: BackupPolicy | null;
  /** When the next snapshot is due. */
  nextAt: string | null;
  repositories: BackupRepository[];
  onChange: () => void;
}

/** When snapshots of a VM are taken by themselves, how many stay, and where copies go. */
export function PolicyCard({ vm, policy, nextAt, repositories, onChange }: PolicyCardProps) {
  const [form, setForm] = useState(() => formOf(policy, Intl.DateTimeFormat().resolvedOptions().timeZone));
  const saving = useSubmit();
  const removing = useSubmit();
  const set = (values: Partial<PolicyForm>) => setForm((present) => ({ ...present, ...values }));
  const asked = policyOf(form);
  const problems = problemsOf(asked);
  const isAsSaved =
    policy !== null && JSON.stringify(policyOf(formOf(policy, policy.timeZone))) === JSON.stringify(asked);

  const save = async () => {
    const isDone = await saving.submit(async () => {
      await apiRequest("PUT", keys.backupPolicy(vm.id), asked);
      onChange();
    });
    if (isDone) notify(`${vm.name} is backed up by this schedule.`);
  };
  const turnOff = async () => {
    const isDone = await removing.submit(async () => {
      await apiRequest("DELETE", keys.backupPolicy(vm.id));
      onChange();
    });
    if (isDone) notify(`${vm.name} is no longer backed up by itself.`);
  };
  const reason = Object.values(problems)[0] ?? (isAsSaved ? "This is the schedule already." : undefined);

  return (
    <Card
      title="Schedule"
      description={
        policy && nextAt
          ? `The next snapshot is due on ${formatExact(nextAt, policy.timeZone)} (${policy.timeZone}).`
          : "Snapshots that are taken by themselves."
      }
    >
      <form
        aria-label="Backup schedule"
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (reason === undefined) void save();
        }}
      >
        <TierRow
          label="Every hour"
          keepLabel="Hourly snapshots to keep"
          value={form.hourly}
          onChange={(hourly) => set({ hourly: { ...form.hourly, ...hourly } })}
          problem={problems.hourly}
        >
          <Field label="Minute" className="w-20">
            {(control) => (
              <Input
                {...control}
                inputMode="numeric"
                value={form.hourly.minute}
                onChange={({ target }) => set({ hourly: { ...form.hourly, minute: target.value } })}
              />
            )}
          </Field>
        </TierRow>
        <TierRow
          label="Every day"
          keepLabel="Daily snapshots to keep"
          value={form.daily}
          onChange={(daily) => set({ daily: { ...form.daily, ...daily } })}
          problem={problems.daily}
        >
          <TimeField
            label="Time of day"
            value={form.daily.time}
            onChange={(time) => set({ daily: { ...form.daily, time } })}
          />
        </TierRow>
        <TierRow
          label="Every week"
          keepLabel="Weekly snapshots to keep"
          value={form.weekly}
          onChange={(weekly) => set({ weekly: { ...form.weekly, ...weekly } })}
          problem={problems.weekly}
        >
          <Field label="Day" className="w-36">
            {(control) => (
              <Select
                {...control}
                value={form.weekly.weekday}
                onChange={({ target }) => set({ weekly: { ...form.weekly, weekday: target.value } })}
              >
                {weekdays.map((name, index) => (
                  <option key={name} value={index}>
                    {name}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <TimeField
            label="Time"
            value={form.weekly.time}
            onChange={(time) => set({ weekly: { ...form.weekly, time } })}
          />
        </TierRow>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Time zone" error={problems.timeZone}>
            {(control) => (
              <Select {...control} value={form.timeZone} onChange={({ target }) => set({ timeZone: target.value })}>
                {timeZones(form.timeZone).map((zone) => (
                  <option key={zone}>{zone}</option>
                ))}
              </Select>
            )}
          </Field>
          <Field
            label="Copy each snapshot to"
            hint={
              repositories.length === 0 ? (
                <>
                  Snapshots lie on this host’s disk. <TextLink href="/settings/backups">Add a repository</TextLink> to
                  keep copies elsewhere.
                </>
              ) : undefined
            }
          >
            {(control) => (
              <Select {...control} value={form.repository} onChange={({ target }) => set({ repository: target.value })}>
                <option value="">Nowhere: on this host only</option>
                {repositories.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        {(saving.error ?? removing.error) ? <Banner tone="bad">{saving.error ?? removing.error}</Banner> : null}
        <div className="flex flex-wrap items-center gap-3">
          <Button type="submit" variant="primary" loading={saving.isPending} disabledReason={reason}>
            {policy ? "Save schedule" : "Turn on"}
          </Button>
          {policy ? (
            <Button loading={removing.isPending} onClick={() => void turnOff()}>
              Turn off
            </Button>
          ) : null}
          {problems.form ? <p className="text-muted text-sm">{problems.form}</p> : null}
        </div>
      </form>
    </Card>
  );
}

interface TimeFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

function TimeField({ label, value, onChange }: TimeFieldProps) {
  return (
    <Field label={label} className="w-36">
      {(control) => (
        <Input {...control} type="time" required value={value} onChange={({ target }) => onChange(target.value)} />
      )}
    </Field>
  );
}

/** What is wrong, by the part of the form that it is about. */
function problemsOf(
  policy: BackupPolicy,
): Partial<Record<"hourly" | "daily" | "weekly" | "timeZone" | "form", string>> {
  const issues = backupPolicySchema.safeParse(policy, { error: plainWords }).error?.issues ?? [];
  const isAllOff = policy.hourly === null && policy.daily === null && policy.weekly === null;
  if (isAllOff) return { form: "Turn on at least one of them." };
  return Object.fromEntries(
    issues.map(({ path, message }) => [path[0], path[1] === "keep" ? "Keep a whole number, at least 1." : message]),
  );
}

function timeZones(present: string): string[] {
  return [...new Set(["UTC", present, ...Intl.supportedValuesOf("timeZone")])];
}
