import type { ReactNode } from "react";
import { Checkbox } from "../ui/Checkbox";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";

interface TierRowProps {
  label: string;
  /** The accessible name of the number to keep. */
  keepLabel: string;
  value: { isOn: boolean; keep: string };
  onChange: (value: { isOn?: boolean; keep?: string }) => void;
  problem: string | undefined;
  /** When: the fields that say it. */
  children: ReactNode;
}

/** One of hourly, daily and weekly: whether, when, and how many to keep. */
export function TierRow({ label, keepLabel, value, onChange, problem, children }: TierRowProps) {
  return (
    <fieldset className="border-line border-b pb-4">
      <legend className="sr-only">{label}</legend>
      <Checkbox label={label} checked={value.isOn} onChange={({ target }) => onChange({ isOn: target.checked })} />
      {value.isOn ? (
        <div className="mt-2 flex flex-wrap items-end gap-3 pl-6">
          {children}
          <Field label="Keep" className="w-20">
            {(control) => (
              <Input
                {...control}
                aria-label={keepLabel}
                inputMode="numeric"
                value={value.keep}
                onChange={({ target }) => onChange({ keep: target.value })}
              />
            )}
          </Field>
          {problem ? (
            <p role="alert" className="pb-1.5 text-bad-ink text-xs">
              {problem}
            </p>
          ) : null}
        </div>
      ) : null}
    </fieldset>
  );
}
