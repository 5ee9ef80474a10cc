"use client";

import { useState } from "react";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";

interface PasswordFieldProps {
  label: string;
  /** What password managers are told. */
  autoComplete: "current-password" | "new-password";
  value: string;
  onChange: (value: string) => void;
  minLength?: number;
  hint?: string;
  error?: string | undefined;
}

/** A password that can be looked at while it is typed. */
export function PasswordField({ label, autoComplete, value, onChange, minLength, hint, error }: PasswordFieldProps) {
  const [isShown, setShown] = useState(false);
  return (
    <Field
      label={label}
      hint={hint}
      error={error}
      aside={
        <button
          type="button"
          aria-label={`${isShown ? "Hide" : "Show"} ${label.toLowerCase()}`}
          className="text-muted hover:text-ink"
          onClick={() => setShown(!isShown)}
        >
          {isShown ? "Hide" : "Show"}
        </button>
      }
    >
      {(control) => (
        <Input
          {...control}
          type={isShown ? "text" : "password"}
          autoComplete={autoComplete}
          required
          {...(minLength === undefined ? {} : { minLength })}
          maxLength={128}
          spellCheck={false}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
