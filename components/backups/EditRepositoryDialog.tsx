"use client";

import { useState } from "react";
import { apiRequest } from "../../lib/api/client";
import type { BackupRepository } from "../../lib/domain/backup";
import { keys } from "../data/keys";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { notify } from "../ui/notify";
import { RepositoryFields, shownErrors } from "./RepositoryFields";
import { formOfRepository, toChanged } from "./repositoryForm";

interface EditRepositoryDialogProps {
  repository: BackupRepository;
  onClose: () => void;
  onChanged: () => void;
}

/** Tells where a repository was moved, or what opens it now. */
export function EditRepositoryDialog({ repository, onClose, onChanged }: EditRepositoryDialogProps) {
  const [form, setForm] = useState(() => formOfRepository(repository));
  const { isPending, error, fields, submit, reset } = useSubmit(...shownErrors);

  const change = async () => {
    const isDone = await submit(async () => {
      await apiRequest("PATCH", `${keys.backupRepositories}/${repository.id}`, toChanged(form, repository));
      onChanged();
    });
    if (!isDone) return;
    notify(`${form.name} is changed.`);
    onClose();
  };

  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={`Edit ${repository.name}`}
      description="It is opened before anything is kept. At another place it must hold all backups that were copied to it."
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void change();
        }}
      >
        <RepositoryFields
          known={repository.kind}
          form={form}
          errors={fields}
          onChange={(next) => {
            if (next.kind !== form.kind) reset();
            setForm(next);
          }}
        />
        {error ? <Banner tone="bad">{error}</Banner> : null}
        <div className="flex justify-end">
          <Button type="submit" variant="primary" loading={isPending}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
