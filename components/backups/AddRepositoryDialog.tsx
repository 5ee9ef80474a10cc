"use client";

import { useState } from "react";
import { apiRequest } from "../../lib/api/client";
import { keys } from "../data/keys";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { notify } from "../ui/notify";
import { RepositoryFields, shownErrors } from "./RepositoryFields";
import { emptyRepositoryForm, toAdded } from "./repositoryForm";

interface AddRepositoryDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onAdded: () => void;
}

/** Opens a place for copies, or one that holds some already. */
export function AddRepositoryDialog({ open, onOpenChange, onAdded }: AddRepositoryDialogProps) {
  const [form, setForm] = useState(emptyRepositoryForm);
  const { isPending, error, fields, submit, reset } = useSubmit(...shownErrors);

  const add = async () => {
    const isDone = await submit(async () => {
      await apiRequest("POST", keys.backupRepositories, toAdded(form));
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
        <RepositoryFields
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
            Add repository
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
