"use client";

import { Plus, Trash2 } from "lucide-react";
import type { FieldErrors } from "../../../lib/domain/errors";
import { FileContentField } from "../../files/FileContentField";
import { Button } from "../../ui/Button";
import { Field } from "../../ui/Field";
import { IconButton } from "../../ui/IconButton";
import { Input } from "../../ui/Input";
import type { FileDraft } from "./createForm";

interface FilesFieldProps {
  value: FileDraft[];
  onChange: (files: FileDraft[]) => void;
  problems: FieldErrors;
}

/** Files to put into the guest before its first boot is done. */
export function FilesField({ value, onChange, problems }: FilesFieldProps) {
  const add = () => {
    const key = Math.max(0, ...value.map((file) => file.key)) + 1;
    onChange([...value, { key, path: "", content: "", permissions: "" }]);
  };
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 font-medium text-sm">Files</legend>
      <div className="flex flex-col gap-3">
        {value.map((file, index) => (
          <FileFields
            key={file.key}
            file={file}
            number={index + 1}
            problemOf={(field) => problems[`files.${index}.${field}`]}
            onChange={(changed) => onChange(value.map((each) => (each.key === file.key ? changed : each)))}
            onRemove={() => onChange(value.filter((each) => each.key !== file.key))}
          />
        ))}
        {problems.files ? (
          <p role="alert" className="text-bad-ink text-xs">
            {problems.files}
          </p>
        ) : null}
        <Button size="sm" icon={<Plus aria-hidden />} onClick={add} className="self-start">
          Add a file
        </Button>
      </div>
    </fieldset>
  );
}

interface FileFieldsProps {
  file: FileDraft;
  number: number;
  problemOf: (field: "path" | "content" | "permissions") => string | undefined;
  onChange: (file: FileDraft) => void;
  onRemove: () => void;
}

function FileFields({ file, number, problemOf, onChange, onRemove }: FileFieldsProps) {
  return (
    <fieldset aria-label={`File ${number}`} className="grid min-w-0 gap-3 rounded-lg border border-line p-3">
      <div className="grid grid-cols-[minmax(0,1fr)_6rem_auto] items-start gap-3">
        <Field label="Path" error={problemOf("path")}>
          {(control) => (
            <Input
              {...control}
              mono
              placeholder="/etc/motd"
              autoComplete="off"
              spellCheck={false}
              value={file.path}
              onChange={(event) => onChange({ ...file, path: event.target.value })}
            />
          )}
        </Field>
        <Field label="Permissions" error={problemOf("permissions")}>
          {(control) => (
            <Input
              {...control}
              mono
              placeholder="0644"
              autoComplete="off"
              value={file.permissions}
              onChange={(event) => onChange({ ...file, permissions: event.target.value })}
            />
          )}
        </Field>
        <IconButton label={`Remove file ${number}`} icon={<Trash2 aria-hidden />} onClick={onRemove} className="mt-6" />
      </div>
      <FileContentField
        value={file}
        onChange={({ content, encoding }) => onChange({ ...file, content, encoding })}
        error={problemOf("content")}
        rows={4}
      />
    </fieldset>
  );
}
