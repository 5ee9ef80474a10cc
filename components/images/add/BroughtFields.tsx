"use client";

import type { Arch, Firmware } from "../../../lib/domain/arch";
import type { FieldErrors } from "../../../lib/domain/errors";
import type { ImageKind } from "../../../lib/domain/image";
import { Field } from "../../ui/Field";
import { Input } from "../../ui/Input";
import { Select } from "../../ui/Select";
import type { BroughtImage } from "./broughtImage";

interface BroughtFieldsProps {
  value: BroughtImage;
  onChange: (changes: Partial<BroughtImage>) => void;
  problems: FieldErrors;
}

/** What a file can't say itself of the image that it is. */
export function BroughtFields({ value, onChange, problems }: BroughtFieldsProps) {
  const text = (field: "name" | "title" | "minMemory" | "loginUser" | "checksum") => ({
    value: value[field],
    autoComplete: "off",
    spellCheck: false,
    onChange: (event: { target: { value: string } }) => onChange({ [field]: event.target.value }),
  });
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Name" error={problems.name} hint="How requests name it: small letters, digits, dots and dashes.">
          {(control) => <Input {...control} {...text("name")} mono required maxLength={63} placeholder="my-image" />}
        </Field>
        <Field label="Title" aside="optional" error={problems.title} hint="What people read.">
          {(control) => <Input {...control} {...text("title")} maxLength={120} placeholder="My image" />}
        </Field>
        <Field label="Kind" error={problems.kind}>
          {(control) => (
            <Select
              {...control}
              value={value.kind}
              onChange={(event) => onChange({ kind: event.target.value as ImageKind })}
            >
              <option value="disk">Disk: VMs start from it</option>
              <option value="iso">ISO: a CD-ROM to install from</option>
            </Select>
          )}
        </Field>
        <Field label="Architecture" error={problems.arch}>
          {(control) => (
            <Select
              {...control}
              value={value.arch}
              onChange={(event) => onChange({ arch: event.target.value as Arch })}
            >
              <option value="x86_64">x86_64</option>
              <option value="aarch64">aarch64</option>
            </Select>
          )}
        </Field>
        {value.arch === "aarch64" ? null : (
          <Field label="Boots with" error={problems.firmware} hint="A VM can still be asked to use the other one.">
            {(control) => (
              <Select
                {...control}
                value={value.firmware}
                onChange={(event) => onChange({ firmware: event.target.value as Firmware })}
              >
                <option value="bios">BIOS</option>
                <option value="uefi">UEFI</option>
              </Select>
            )}
          </Field>
        )}
        <Field label="Least memory" aside="optional" error={problems.minMemory}>
          {(control) => <Input {...control} {...text("minMemory")} placeholder="256M" />}
        </Field>
        {value.kind === "disk" ? (
          <Field label="Login user" aside="optional" error={problems.loginUser} hint="Who gets the SSH keys.">
            {(control) => <Input {...control} {...text("loginUser")} mono placeholder="root" />}
          </Field>
        ) : null}
      </div>
      <Field
        label="Checksum"
        aside="optional"
        error={problems.checksum}
        hint="sha256: or sha512: and its digits. A file with another one is refused."
      >
        {(control) => <Input {...control} {...text("checksum")} mono placeholder="sha256:…" />}
      </Field>
    </>
  );
}
