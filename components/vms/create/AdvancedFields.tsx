"use client";

import { ChevronRight } from "lucide-react";
import { useState } from "react";
import type { FieldErrors } from "../../../lib/domain/errors";
import type { CreateForm } from "./createForm";
import { FilesField } from "./FilesField";
import { UserDataField } from "./UserDataField";

interface AdvancedFieldsProps {
  form: CreateForm;
  onChange: (changes: Partial<CreateForm>) => void;
  problems: FieldErrors;
}

/** What most VMs do without, folded. */
export function AdvancedFields({ form, onChange, problems }: AdvancedFieldsProps) {
  const [isOpen, setOpen] = useState(false);
  const hasProblem = Object.keys(problems).some((field) => /^(userData|files)/.test(field));
  // A problem unfolds it for good: it must not fold again under the fingers that mend it.
  if (hasProblem && !isOpen) setOpen(true);
  return (
    <details
      open={isOpen}
      onToggle={(event) => setOpen(event.currentTarget.open)}
      className="group rounded-lg border border-line bg-surface"
    >
      <summary className="flex min-h-12 select-none items-center gap-2 rounded-lg px-4 py-2 [&::-webkit-details-marker]:hidden">
        <ChevronRight
          aria-hidden
          className="size-4 text-faint transition-transform duration-100 group-open:rotate-90"
        />
        <span>
          <span className="block font-medium text-base">Advanced</span>
          <span className="block text-muted text-sm">
            What its first boot does: cloud-init user data, files to put in.
          </span>
        </span>
      </summary>
      <div className="grid gap-5 border-line border-t p-4">
        <UserDataField
          value={form.userData}
          onChange={(userData) => onChange({ userData })}
          problem={problems.userData}
        />
        <FilesField value={form.files} onChange={(files) => onChange({ files })} problems={problems} />
      </div>
    </details>
  );
}
