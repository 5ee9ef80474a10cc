"use client";

import { Dices } from "lucide-react";
import { Field } from "../../ui/Field";
import { IconButton } from "../../ui/IconButton";
import { Input } from "../../ui/Input";
import { suggestName } from "./suggestName";

interface NameFieldProps {
  value: string;
  onChange: (name: string) => void;
  problem: string | undefined;
  takenNames: readonly string[];
  hint?: string;
  /** Why it can't be another one now. */
  disabledReason?: string | undefined;
}

export function NameField({
  value,
  onChange,
  problem,
  takenNames,
  hint = "Small letters, digits and dashes.",
  disabledReason,
}: NameFieldProps) {
  const taken = takenNames.includes(value) ? "Another VM has this name." : undefined;
  return (
    <Field label="Host name" hint={hint} error={problem ?? taken} className="max-w-md">
      {(control) => (
        <span className="flex items-center gap-1.5">
          <Input
            {...control}
            mono
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={63}
            disabled={disabledReason !== undefined}
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
          <IconButton
            label="Suggest another name"
            icon={<Dices aria-hidden />}
            disabledReason={disabledReason}
            onClick={() => onChange(suggestName(new Set(takenNames)))}
          />
        </span>
      )}
    </Field>
  );
}
