"use client";

import { ChevronRight } from "lucide-react";
import { useState } from "react";
import type { FieldErrors } from "../../../lib/domain/errors";
import type { Image } from "../../../lib/domain/image";
import { type CreateForm, validFilesOf } from "./createForm";
import { FilesField } from "./FilesField";
import { FirmwareField } from "./FirmwareField";
import { FirstBootFields } from "./FirstBootFields";
import { validFirstBootOf } from "./firstBootForm";
import { NetworkField } from "./NetworkField";
import { UserDataField } from "./UserDataField";

interface AdvancedFieldsProps {
  form: CreateForm;
  onChange: (changes: Partial<CreateForm>) => void;
  problems: FieldErrors;
  image: Image | undefined;
}

const fields = /^(userData|files|firmware|network|ipv4|firewalls|password|users|timezone|locale|packages)/;

/** What most VMs do without, folded. */
export function AdvancedFields({ form, onChange, problems, image }: AdvancedFieldsProps) {
  const [isOpen, setOpen] = useState(false);
  const loginUser = image?.loginUser ?? "root";
  const hasProblem = Object.keys(problems).some((field) => fields.test(field));
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
            Network, firmware, and what its first boot does: users, packages, files, cloud-init user data.
          </span>
        </span>
      </summary>
      <div className="grid gap-5 border-line border-t p-4">
        {image ? (
          <FirmwareField
            image={image}
            value={form.firmware}
            onChange={(firmware) => onChange({ firmware })}
            problem={problems.firmware}
          />
        ) : null}
        <NetworkField form={form} onChange={onChange} problems={problems} />
        {image?.kind === "iso" ? (
          <p className="text-muted text-sm">
            What follows is for systems with cloud-init: an installer does not read it, and what it installs seldom
            does.
          </p>
        ) : null}
        <FirstBootFields form={form} onChange={onChange} problems={problems} loginUser={loginUser} />
        <UserDataField
          value={form.userData}
          onChange={(userData) => onChange({ userData })}
          problem={problems.userData}
          firstBoot={{ ...validFirstBootOf(form), files: validFilesOf(form), loginUser, osFamily: image?.os?.family }}
        />
        <FilesField value={form.files} onChange={(files) => onChange({ files })} problems={problems} />
      </div>
    </details>
  );
}
