"use client";

import { Field } from "../ui/Field";
import { Input } from "../ui/Input";
import { SegmentedControl } from "../ui/SegmentedControl";
import type { RepositoryFormState } from "./repositoryForm";

interface RepositoryFieldsProps {
  form: RepositoryFormState;
  onChange: (form: RepositoryFormState) => void;
  /** What is wrong, by field. */
  errors: Record<string, string>;
  /** Of a repository that is known, of which kind it is: secrets of that kind that are left empty stay as they are. */
  known?: RepositoryFormState["kind"];
}

type BucketField = "endpoint" | "bucket" | "prefix" | "accessKeyId" | "secretAccessKey";

const bucketFields: { name: BucketField; label: string; hint?: string; isSecret?: boolean; isOptional?: boolean }[] = [
  { name: "endpoint", label: "Endpoint", hint: "“https://s3.eu-central-1.amazonaws.com”, “http://nas:9000”" },
  { name: "bucket", label: "Bucket" },
  { name: "prefix", label: "Folder in the bucket", isOptional: true },
  { name: "accessKeyId", label: "Access key ID" },
  { name: "secretAccessKey", label: "Secret access key", isSecret: true },
];

/** Those of which the fields show what is wrong. */
export const shownErrors = ["name", "password", "place.path", ...bucketFields.map(({ name }) => `place.${name}`)];

const unchanged = "Leave it empty to keep the present one.";

/** Where a place for copies is, and what opens it. */
export function RepositoryFields({ form, onChange, errors, known }: RepositoryFieldsProps) {
  const isKnown = known !== undefined;
  const hasSecret = known === "s3";
  const set = (values: Partial<RepositoryFormState>) => onChange({ ...form, ...values });
  return (
    <>
      <SegmentedControl
        label="Kind of repository"
        value={form.kind}
        onChange={(kind) => set({ kind })}
        options={[
          { value: "folder", label: "Folder of the host" },
          { value: "s3", label: "S3 bucket" },
        ]}
      />
      <Field label="Name" error={errors.name}>
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
      {form.kind === "folder" ? (
        <Field
          label="Path"
          hint={
            isKnown
              ? "Where the repository is now."
              : "On another disk, or mounted from another machine: an empty folder, or one that holds a repository already."
          }
          error={errors["place.path"]}
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
        bucketFields.map(({ name, label, hint, isSecret, isOptional }) => (
          <Field
            key={name}
            label={label}
            hint={isSecret && hasSecret ? unchanged : hint}
            error={errors[`place.${name}`]}
            {...(isOptional && { aside: "optional" })}
          >
            {(control) => (
              <Input
                {...control}
                required={!isOptional && !(isSecret && hasSecret)}
                type={isSecret ? "password" : "text"}
                // Browsers fill a password in where they are told "off".
                autoComplete={isSecret ? "new-password" : "off"}
                value={form[name]}
                onChange={({ target }) => set({ [name]: target.value })}
              />
            )}
          </Field>
        ))
      )}
      <Field
        label="Encryption password"
        hint={
          isKnown
            ? unchanged
            : "Keep it elsewhere too: without it nobody can restore anything, and it is not shown again."
        }
        error={errors.password}
      >
        {(control) => (
          <Input
            {...control}
            required={!isKnown}
            minLength={8}
            type="password"
            autoComplete="new-password"
            value={form.password}
            onChange={({ target }) => set({ password: target.value })}
          />
        )}
      </Field>
    </>
  );
}
