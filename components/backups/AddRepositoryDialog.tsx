"use client";

import { useState } from "react";
import { apiRequest } from "../../lib/api/client";
import { keys } from "../data/keys";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";
import { notify } from "../ui/notify";
import { SegmentedControl } from "../ui/SegmentedControl";

interface AddRepositoryDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onAdded: () => void;
}

const emptyForm = {
  name: "",
  password: "",
  path: "",
  endpoint: "",
  bucket: "",
  prefix: "",
  accessKeyId: "",
  secretAccessKey: "",
};
type Form = typeof emptyForm;

const s3Fields: { name: keyof Form; label: string; hint?: string; isSecret?: boolean; isOptional?: boolean }[] = [
  { name: "endpoint", label: "Endpoint", hint: "“https://s3.eu-central-1.amazonaws.com”, “http://nas:9000”" },
  { name: "bucket", label: "Bucket" },
  { name: "prefix", label: "Folder in the bucket", isOptional: true },
  { name: "accessKeyId", label: "Access key ID" },
  { name: "secretAccessKey", label: "Secret access key", isSecret: true },
];

/** Opens a place for copies, or one that holds some already. */
export function AddRepositoryDialog({ open, onOpenChange, onAdded }: AddRepositoryDialogProps) {
  const [kind, setKind] = useState<"folder" | "s3">("folder");
  const [form, setForm] = useState(emptyForm);
  const shown = ["name", "password", "place.path", ...s3Fields.map(({ name }) => `place.${name}`)];
  const { isPending, error, fields, submit, reset } = useSubmit(...shown);
  const set = (values: Partial<Form>) => setForm((present) => ({ ...present, ...values }));

  const add = async () => {
    const isDone = await submit(async () => {
      await apiRequest("POST", keys.backupRepositories, requestOf(kind, form));
      onAdded();
    });
    if (!isDone) return;
    notify(`${form.name} is ready for backups.`);
    onOpenChange(false);
  };

  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Add a backup repository">
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        <SegmentedControl
          label="Kind of repository"
          value={kind}
          onChange={(next) => {
            setKind(next);
            reset();
          }}
          options={[
            { value: "folder", label: "Folder of the host" },
            { value: "s3", label: "S3 bucket" },
          ]}
        />
        <Field label="Name" error={fields.name}>
          {(control) => (
            <Input
              {...control}
              required
              maxLength={60}
              value={form.name}
              onChange={({ target }) => set({ name: target.value })}
            />
          )}
        </Field>
        {kind === "folder" ? (
          <Field
            label="Path"
            hint="A folder that is there and empty: on another disk, or mounted from another machine."
            error={fields["place.path"]}
          >
            {(control) => (
              <Input
                {...control}
                required
                mono
                value={form.path}
                onChange={({ target }) => set({ path: target.value })}
              />
            )}
          </Field>
        ) : (
          s3Fields.map(({ name, label, hint, isSecret, isOptional }) => (
            <Field
              key={name}
              label={label}
              hint={hint}
              error={fields[`place.${name}`]}
              {...(isOptional && { aside: "optional" })}
            >
              {(control) => (
                <Input
                  {...control}
                  required={!isOptional}
                  type={isSecret ? "password" : "text"}
                  autoComplete="off"
                  value={form[name]}
                  onChange={({ target }) => set({ [name]: target.value })}
                />
              )}
            </Field>
          ))
        )}
        <Field
          label="Encryption password"
          hint="Keep it elsewhere too: without it nobody can restore anything, and it is not shown again."
          error={fields.password}
        >
          {(control) => (
            <Input
              {...control}
              required
              minLength={8}
              type="password"
              autoComplete="new-password"
              value={form.password}
              onChange={({ target }) => set({ password: target.value })}
            />
          )}
        </Field>
        {error ? <Banner tone="bad">{error}</Banner> : null}
        <div className="flex justify-end">
          <Button type="submit" variant="primary" loading={isPending}>
            Add repository
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function requestOf(kind: "folder" | "s3", { name, password, path, ...bucket }: Form) {
  return { name, password, place: kind === "folder" ? { kind, path } : { kind, ...bucket } };
}
