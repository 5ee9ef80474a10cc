"use client";

import { type FormEvent, type ReactNode, useState } from "react";
import { useSWRConfig } from "swr";
import { vmNameSchema } from "../../lib/domain/vm";
import { useVms } from "../data/hooks";
import { keys } from "../data/keys";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";
import { nextName } from "./nextName";

interface NewVmDialogProps {
  title: string;
  description: string;
  /** The name that the suggested one goes on from. */
  baseName: string;
  submitLabel: string;
  onClose: () => void;
  /** Asks for it, and goes to its page. */
  make: (name: string) => Promise<void>;
  /** Further fields. */
  children?: ReactNode;
}

/** Asks for the name of a VM that is made from something that is there. */
export function NewVmDialog({ title, description, baseName, submitLabel, onClose, make, children }: NewVmDialogProps) {
  const { mutate } = useSWRConfig();
  const { data: vms = [] } = useVms();
  const taken = new Set(vms.map(({ name }) => name));
  const [typed, setTyped] = useState<string>();
  const name = typed ?? nextName(baseName, taken);
  const form = useSubmit("name");
  const problem = taken.has(name)
    ? "Another VM has this name."
    : vmNameSchema.safeParse(name).error?.issues[0]?.message;

  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (problem) return;
    const isDone = await form.submit(async () => {
      await make(name);
      await mutate(keys.vms);
    });
    if (isDone) onClose();
  };

  return (
    <Dialog open onOpenChange={(open) => open || onClose()} title={title} description={description}>
      <form onSubmit={send} className="flex flex-col gap-4">
        {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
        <Field label="Name" hint="Small letters, digits and dashes." error={problem ?? form.fields.name}>
          {(control) => (
            <Input
              {...control}
              mono
              value={name}
              maxLength={63}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              onChange={(event) => {
                setTyped(event.target.value);
                form.reset();
              }}
            />
          )}
        </Field>
        {children}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" loading={form.isPending} disabledReason={problem}>
            {submitLabel}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
