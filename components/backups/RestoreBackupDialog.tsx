"use client";

import { useState } from "react";
import { apiRequest } from "../../lib/api/client";
import { formatExact } from "../../lib/browser/time";
import type { StoredBackup } from "../../lib/domain/backup";
import { keys } from "../data/keys";
import { useSubmit } from "../data/useSubmit";
import { NewNetworkField } from "../networks/NewNetworkField";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";
import { notify } from "../ui/notify";

interface RestoreBackupDialogProps {
  repositoryId: number;
  backup: StoredBackup;
  onClose: () => void;
}

/** Makes a new VM of a copy. */
export function RestoreBackupDialog({ repositoryId, backup, onClose }: RestoreBackupDialogProps) {
  const [name, setName] = useState(`${backup.vmName.slice(0, 54)}-restored`);
  const [network, setNetwork] = useState("");
  const { isPending, error, fields, submit } = useSubmit("name", "network");
  const restore = async () => {
    const isDone = await submit(async () => {
      const body = { backup: backup.key, name, ...(network && { network }) };
      await apiRequest("POST", `${keys.backupRepositories}/${repositoryId}/restore`, body);
    });
    if (!isDone) return;
    notify(`${name} is being restored: the activity list shows how far it is.`);
    onClose();
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={`Restore ${backup.vmName}`}
      description={`As it was on ${formatExact(backup.takenAt)}, into a new VM. Its disk also stays as an image.`}
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void restore();
        }}
      >
        <Field label="Name of the new VM" error={fields.name}>
          {(control) => (
            <Input {...control} required maxLength={63} value={name} onChange={({ target }) => setName(target.value)} />
          )}
        </Field>
        <NewNetworkField
          unchosen="The VM's own, else default"
          value={network}
          onChange={setNetwork}
          problem={fields.network}
        />
        {error ? <Banner tone="bad">{error}</Banner> : null}
        <div className="flex justify-end">
          <Button type="submit" variant="primary" loading={isPending}>
            Restore
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
