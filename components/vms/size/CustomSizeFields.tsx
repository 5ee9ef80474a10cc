"use client";

import type { FieldErrors } from "../../../lib/domain/errors";
import { Field } from "../../ui/Field";
import { Input } from "../../ui/Input";
import type { SizeChoice } from "./sizeChoice";

interface CustomSizeFieldsProps {
  value: SizeChoice["custom"];
  onChange: (value: SizeChoice["custom"]) => void;
  problems: FieldErrors;
  /** Why the values can't be had. */
  reason: string | undefined;
}

const fields = [
  { key: "vcpus", label: "vCPUs", inputMode: "numeric" },
  { key: "memory", label: "Memory", inputMode: "text", hint: "As 512M or 2G." },
  { key: "disk", label: "Disk", inputMode: "text", hint: "As 10G. Takes room only as it fills." },
] as const;

export function CustomSizeFields({ value, onChange, problems, reason }: CustomSizeFieldsProps) {
  return (
    <div className="mt-3">
      <div className="grid gap-3 sm:grid-cols-3">
        {fields.map((field) => (
          <Field
            key={field.key}
            label={field.label}
            hint={"hint" in field ? field.hint : undefined}
            error={problems[field.key]}
          >
            {(control) => (
              <Input
                {...control}
                inputMode={field.inputMode}
                autoComplete="off"
                value={value[field.key]}
                onChange={(event) => onChange({ ...value, [field.key]: event.target.value })}
              />
            )}
          </Field>
        ))}
      </div>
      {reason ? (
        <p role="alert" className="mt-2 text-bad-ink text-xs">
          {reason}
        </p>
      ) : null}
    </div>
  );
}
