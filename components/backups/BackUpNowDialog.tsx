"use client";

import { useState } from "react";
import { useSWRConfig } from "swr";
import { apiRequest } from "../../lib/api/client";
import type { BackupRepository } from "../../lib/domain/backup";
import type { Vm } from "../../lib/domain/vm";
import { keys } from "../data/keys";
import { useRequestKey } from "../data/useRequestKey";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { notify } from "../ui/notify";
import { Select } from "../ui/Select";

interface BackUpNowDialogProps {
  vm: Vm;
  repositories: BackupRepository[];
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Copies a VM as it is now to a repository. */
export function BackUpNowDialog({ vm, repositories, open, onOpenChange }: BackUpNowDialogProps) {
  const { mutate } = useSWRConfig();
  const [chosen, setChosen] = useState("");
  const { isPending, error, submit } = useSubmit();
  const keyOf = useRequestKey();
  const repository = Number(chosen || repositories[0]?.id);
  const start = async () => {
    const isDone = await submit(async () => {
      const headers = { "idempotency-key": keyOf(repository) };
      await apiRequest("POST", keys.backups(vm.id), { repository }, { headers });
      await mutate(keys.backups(vm.id));
    });
    if (!isDone) return;
    notify(`${vm.name} is being backed up.`);
    onOpenChange(false);
  };
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title={`Back up ${vm.name} now`}
      description="A snapshot is taken, copied, and the copy is read back. The VM runs on."
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <Field label="Repository">
          {(control) => (
            <Select {...control} value={String(repository)} onChange={({ target }) => setChosen(target.value)}>
              {repositories.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </Select>
          )}
        </Field>
        {error ? <Banner tone="bad">{error}</Banner> : null}
        <div className="flex justify-end">
          <Button type="submit" variant="primary" loading={isPending}>
            Back up
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
