"use client";

import { type FormEvent, useState } from "react";
import { apiRequest } from "../../../lib/api/client";
import type { UserDataTemplate } from "../../../lib/domain/userDataTemplate";
import { keys } from "../../data/keys";
import { useSubmit } from "../../data/useSubmit";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { Input } from "../../ui/Input";
import { notify } from "../../ui/notify";
import { Textarea } from "../../ui/Textarea";

interface TemplateDialogProps {
  /** The one to change; a new one when not given. */
  template: UserDataTemplate | undefined;
  onClose: () => void;
  onSaved: () => void;
}

export function TemplateDialog({ template, onClose, onSaved }: TemplateDialogProps) {
  const [name, setName] = useState(template?.name ?? "");
  const [description, setDescription] = useState(template?.description ?? "");
  const [userData, setUserData] = useState(template?.userData ?? "#cloud-config\n");
  const { isPending, error, fields, submit } = useSubmit("name", "description", "userData");
  const save = async (event: FormEvent) => {
    event.preventDefault();
    await submit(async () => {
      const body = { name, description, userData };
      if (template) await apiRequest("PATCH", `${keys.userDataTemplates}/${template.id}`, body);
      else await apiRequest("POST", keys.userDataTemplates, body);
      notify(`Template ${name} saved.`);
      onSaved();
      onClose();
    });
  };
  return (
    <Dialog open onOpenChange={onClose} width="lg" title={template ? `Change ${template.name}` : "Add a template"}>
      <form onSubmit={save} className="flex flex-col gap-4">
        <Field label="Name" error={fields.name}>
          {(control) => (
            <Input
              {...control}
              required
              maxLength={64}
              autoComplete="off"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label="Description" aside="optional" error={fields.description}>
          {(control) => (
            <Input
              {...control}
              maxLength={200}
              autoComplete="off"
              value={description}
              onChange={(event) => setDescription(event.target.value)}
            />
          )}
        </Field>
        <Field
          label="User data"
          error={fields.userData}
          hint="A #cloud-config document, or a script that starts with #!."
        >
          {(control) => (
            <Textarea
              {...control}
              mono
              rows={12}
              required
              spellCheck={false}
              value={userData}
              onChange={(event) => setUserData(event.target.value)}
            />
          )}
        </Field>
        {error ? <Banner tone="bad">{error}</Banner> : null}
        <div className="flex justify-end">
          <Button type="submit" variant="primary" loading={isPending}>
            Save template
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
