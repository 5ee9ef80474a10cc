"use client";

import { useId } from "react";
import type { FieldErrors } from "../../../lib/domain/errors";
import { Field } from "../../ui/Field";
import { Input } from "../../ui/Input";
import type { FirstBootForm } from "./firstBootForm";
import { UsersField } from "./UsersField";

interface FirstBootFieldsProps {
  form: FirstBootForm;
  onChange: (changes: Partial<FirstBootForm>) => void;
  problems: FieldErrors;
  /** The image's own user. */
  loginUser: string;
}

/** What most people want of a first boot, without writing cloud-config. */
export function FirstBootFields({ form, onChange, problems, loginUser }: FirstBootFieldsProps) {
  const zones = useId();
  const whose = loginUser === "root" ? "Of root." : `Of the system's own user: ${loginUser}, as the image has it.`;
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label="Password"
          hint={`${whose} For the login on the console: SSH takes keys. Only its hash is kept.`}
          error={problems.password}
        >
          {(control) => (
            <Input
              {...control}
              type="password"
              autoComplete="new-password"
              value={form.password}
              onChange={(event) => onChange({ password: event.target.value })}
            />
          )}
        </Field>
        <Field label="Time zone" hint="UTC when left empty, as most images have it." error={problems.timezone}>
          {(control) => (
            <>
              <Input
                {...control}
                list={zones}
                autoComplete="off"
                spellCheck={false}
                placeholder="Europe/Berlin"
                value={form.timezone}
                onChange={(event) => onChange({ timezone: event.target.value })}
              />
              <datalist id={zones}>
                {Intl.supportedValuesOf("timeZone").map((zone) => (
                  <option key={zone} value={zone} />
                ))}
              </datalist>
            </>
          )}
        </Field>
        <Field
          label="Packages"
          hint="With blanks between. They are downloaded at the first boot."
          error={problems.packages}
        >
          {(control) => (
            <Input
              {...control}
              mono
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              placeholder="git htop"
              value={form.packages}
              onChange={(event) => onChange({ packages: event.target.value })}
            />
          )}
        </Field>
        <Field label="Locale" error={problems.locale}>
          {(control) => (
            <Input
              {...control}
              autoComplete="off"
              spellCheck={false}
              placeholder="en_US.UTF-8"
              value={form.locale}
              onChange={(event) => onChange({ locale: event.target.value })}
            />
          )}
        </Field>
      </div>
      <UsersField value={form.users} onChange={(users) => onChange({ users })} problems={problems} />
    </>
  );
}
