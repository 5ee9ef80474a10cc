"use client";

import { Plus, Trash2 } from "lucide-react";
import type { FieldErrors } from "../../../lib/domain/errors";
import { Button } from "../../ui/Button";
import { Checkbox } from "../../ui/Checkbox";
import { Field } from "../../ui/Field";
import { IconButton } from "../../ui/IconButton";
import { Input } from "../../ui/Input";
import { Textarea } from "../../ui/Textarea";
import type { UserDraft } from "./firstBootForm";

interface UsersFieldProps {
  value: UserDraft[];
  onChange: (users: UserDraft[]) => void;
  problems: FieldErrors;
}

/** Users to be made at the first boot, beside the image's own. */
export function UsersField({ value, onChange, problems }: UsersFieldProps) {
  const add = () => {
    const key = Math.max(0, ...value.map((user) => user.key)) + 1;
    onChange([...value, { key, name: "", sudo: false, sshKeys: "", password: "" }]);
  };
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 font-medium text-sm">Users</legend>
      <div className="flex flex-col gap-3">
        {value.map((user, index) => (
          <UserFields
            key={user.key}
            user={user}
            number={index + 1}
            problemOf={(field) => problems[`users.${index}.${field}`]}
            onChange={(changed) => onChange(value.map((each) => (each.key === user.key ? changed : each)))}
            onRemove={() => onChange(value.filter((each) => each.key !== user.key))}
          />
        ))}
        {problems.users ? (
          <p role="alert" className="text-bad-ink text-xs">
            {problems.users}
          </p>
        ) : null}
        <Button size="sm" icon={<Plus aria-hidden />} onClick={add} className="self-start">
          Add a user
        </Button>
      </div>
    </fieldset>
  );
}

interface UserFieldsProps {
  user: UserDraft;
  number: number;
  problemOf: (field: "name" | "sshKeys" | "password") => string | undefined;
  onChange: (user: UserDraft) => void;
  onRemove: () => void;
}

function UserFields({ user, number, problemOf, onChange, onRemove }: UserFieldsProps) {
  return (
    <fieldset aria-label={`User ${number}`} className="grid min-w-0 gap-3 rounded-lg border border-line p-3">
      <div className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-3 sm:grid-cols-[minmax(0,1fr)_minmax(0,1fr)_auto]">
        <Field label="Name" error={problemOf("name")}>
          {(control) => (
            <Input
              {...control}
              mono
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              placeholder="ada"
              value={user.name}
              onChange={(event) => onChange({ ...user, name: event.target.value })}
            />
          )}
        </Field>
        <Field
          label="Password"
          aside="optional"
          error={problemOf("password")}
          className="max-sm:col-span-2 max-sm:row-start-2"
        >
          {(control) => (
            <Input
              {...control}
              type="password"
              autoComplete="new-password"
              value={user.password}
              onChange={(event) => onChange({ ...user, password: event.target.value })}
            />
          )}
        </Field>
        <IconButton label={`Remove user ${number}`} icon={<Trash2 aria-hidden />} onClick={onRemove} className="mt-6" />
      </div>
      <Field
        label="SSH keys"
        aside="optional"
        hint="Public keys, or names of saved ones; one a line."
        error={problemOf("sshKeys")}
      >
        {(control) => (
          <Textarea
            {...control}
            mono
            rows={2}
            spellCheck={false}
            value={user.sshKeys}
            onChange={(event) => onChange({ ...user, sshKeys: event.target.value })}
          />
        )}
      </Field>
      <Checkbox
        label="May become root by sudo"
        checked={user.sudo}
        onChange={(event) => onChange({ ...user, sudo: event.target.checked })}
      />
    </fieldset>
  );
}
