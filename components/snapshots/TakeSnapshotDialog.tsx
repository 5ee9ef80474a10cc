"use client";

import { type FormEvent, useState } from "react";
import { whyNoSnapshotAct } from "../../lib/domain/snapshotActions";
import type { Vm } from "../../lib/domain/vm";
import { useRequestKey } from "../data/useRequestKey";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Checkbox } from "../ui/Checkbox";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";
import { notify } from "../ui/notify";
import { Textarea } from "../ui/Textarea";
import { SnapshotCostNote } from "./SnapshotCostNote";
import { requestTake } from "./snapshotRequests";
import { useSnapshotRefresh } from "./useSnapshotRefresh";

interface TakeSnapshotDialogProps {
  vm: Vm;
  open: boolean;
  onClose: () => void;
}

/** Asks for a snapshot of a VM, and says before what it will cost. */
export function TakeSnapshotDialog({ vm, open, onClose }: TakeSnapshotDialogProps) {
  return (
    <Dialog
      open={open}
      onOpenChange={(isOpen) => isOpen || onClose()}
      title={`Take a snapshot of ${vm.name}`}
      description="Its disk as it is now, to come back to or to make new VMs from. The VM goes on meanwhile."
    >
      <TakeSnapshotForm vm={vm} onDone={onClose} />
    </Dialog>
  );
}

function TakeSnapshotForm({ vm, onDone }: { vm: Vm; onDone: () => void }) {
  const [name, setName] = useState("");
  const [note, setNote] = useState("");
  const [wantsMemory, setWantsMemory] = useState(false);
  const keyOf = useRequestKey();
  const form = useSubmit("name", "note");
  const refresh = useSnapshotRefresh();
  const whyNoMemory = whyNoSnapshotAct("memory-snapshot", vm.status);
  const memory = wantsMemory && whyNoMemory === undefined;

  const take = async (event: FormEvent) => {
    event.preventDefault();
    const isDone = await form.submit(async () => {
      const body = { ...(name.trim() && { name: name.trim() }), ...(note && { note }), memory };
      await requestTake(vm.id, body, keyOf(body));
      await refresh(vm.id);
    });
    if (!isDone) return;
    notify(`Snapshot of ${vm.name}: accepted.`);
    onDone();
  };

  return (
    <form onSubmit={take} className="flex flex-col gap-4">
      {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
      <Field label="Name" aside="optional" hint="The time, when you give none." error={form.fields.name}>
        {(control) => (
          <Input
            {...control}
            value={name}
            maxLength={100}
            autoComplete="off"
            placeholder="before the upgrade"
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <Field label="Note" aside="optional" error={form.fields.note}>
        {(control) => (
          <Textarea
            {...control}
            rows={2}
            maxLength={2000}
            value={note}
            onChange={(event) => setNote(event.target.value)}
          />
        )}
      </Field>
      <Checkbox
        checked={memory}
        disabled={whyNoMemory !== undefined}
        onChange={(event) => setWantsMemory(event.target.checked)}
        label={
          <>
            With memory
            <span className="block text-muted text-xs">
              {whyNoMemory === undefined
                ? "Restored, it goes on where it was: programs that run, what is typed and not saved."
                : "There is none to keep while it is off."}
            </span>
          </>
        }
      />
      <SnapshotCostNote vm={vm} memory={memory} />
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button
          type="submit"
          variant="primary"
          loading={form.isPending}
          disabledReason={whyNoSnapshotAct("snapshot", vm.status)}
        >
          Take snapshot
        </Button>
      </div>
    </form>
  );
}
