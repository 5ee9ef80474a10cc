"use client";

import { type FormEvent, useState } from "react";
import { apiRequest } from "../../lib/api/client";
import type { Token } from "../../lib/domain/token";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { CodeBlock } from "../ui/CodeBlock";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";

interface CreateTokenDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onCreated: () => void;
}

/** Creates an API token and shows its secret, this once. */
export function CreateTokenDialog({ open, onOpenChange, onCreated }: CreateTokenDialogProps) {
  const [name, setName] = useState("");
  const [secret, setSecret] = useState<string>();
  const { isPending, error, fields, submit } = useSubmit("name");

  const create = async (event: FormEvent) => {
    event.preventDefault();
    await submit(async () => {
      const created = await apiRequest<Token & { token: string }>("POST", "/api/tokens", { name });
      setSecret(created.token);
      onCreated();
    });
  };

  if (secret !== undefined) {
    return (
      <Dialog open={open} onOpenChange={onOpenChange} title={`Token ${name}`} width="lg">
        <div className="flex flex-col gap-4">
          <Banner tone="warn" title="Copy it now">
            It is shown this once. Cumulus keeps only a hash of it.
          </Banner>
          <CodeBlock wrap what="token" code={secret} />
          <div>
            <p className="mb-1.5 text-muted text-sm">Try it:</p>
            <CodeBlock
              wrap
              what="curl command"
              code={`curl -H 'Authorization: Bearer ${secret}' ${window.location.origin}/api/vms`}
            />
          </div>
          <div className="flex justify-end">
            <Button variant="primary" onClick={() => onOpenChange(false)}>
              Done
            </Button>
          </div>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Create an API token">
      <form onSubmit={create} className="flex flex-col gap-4">
        <Field label="Name" hint="What will use it: “backup script”, “laptop”." error={fields.name}>
          {(control) => (
            <Input
              {...control}
              required
              maxLength={64}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        {error ? <Banner tone="bad">{error}</Banner> : null}
        <div className="flex justify-end">
          <Button type="submit" variant="primary" loading={isPending}>
            Create token
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
