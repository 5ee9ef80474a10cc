"use client";

import { type FormEvent, useState } from "react";
import { type Snapshot, snapshotNameSchema } from "../../lib/domain/snapshot";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";
import { Textarea } from "../ui/Textarea";
import { requestUpdate } from "./snapshotRequests";
import { useSnapshotRefresh } from "./useSnapshotRefresh";

interface RenameSnapshotDialogProps {
  snapshot: Snapshot;
  onClose: () => void;
}

/** A snapshot's name and note. */
export function RenameSnapshotDialog({ snapshot, onClose }: RenameSnapshotDialogProps) {
  const [name, setName] = useState(snapshot.name);
  const [note, setNote] = useState(snapshot.note);
  const form = useSubmit("name", "note");
  const refresh = useSnapshotRefresh();
  const problem = snapshotNameSchema.safeParse(name).error?.issues[0]?.message;

  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (problem) return;
    const isDone = await form.submit(async () => {
      await requestUpdate(snapshot.id, { name, note });
      await refresh(snapshot.vm.id);
    });
    if (isDone) onClose();
  };

  return (
    <Dialog open onOpenChange={(open) => open || onClose()} title="Name and note">
      <form onSubmit={save} className="flex flex-col gap-4">
        {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
        <Field label="Name" error={problem ?? form.fields.name}>
          {(control) => (
            <Input
              {...control}
              value={name}
              autoComplete="off"
              onChange={(event) => {
                setName(event.target.value);
                form.reset();
              }}
            />
          )}
        </Field>
        <Field label="Note" aside="optional" error={form.fields.note}>
          {(control) => (
            <Textarea
              {...control}
              rows={3}
              maxLength={2000}
              value={note}
              onChange={(event) => setNote(event.target.value)}
            />
          )}
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" loading={form.isPending} disabledReason={problem}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
