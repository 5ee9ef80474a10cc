"use client";

import { type FormEvent, useState } from "react";
import { apiRequest } from "../../lib/api/client";
import type { SshKey } from "../../lib/domain/sshKey";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";
import { notify } from "../ui/notify";
import { Textarea } from "../ui/Textarea";

export interface SshKeyFormProps {
  close: () => void;
  onAdded: (key: SshKey) => void;
}

export function PasteSshKeyForm({ close, onAdded }: SshKeyFormProps) {
  const [publicKey, setPublicKey] = useState("");
  const [typedName, setTypedName] = useState<string>();
  const { isPending, error, fields, submit } = useSubmit("name", "publicKey");
  const name = typedName ?? commentOf(publicKey);

  const save = async (event: FormEvent) => {
    event.preventDefault();
    await submit(async () => {
      const key = await apiRequest<SshKey>("POST", "/api/ssh-keys", { name, publicKey: publicKey.trim() });
      notify(`Key ${key.name} saved.`);
      onAdded(key);
      close();
    });
  };

  return (
    <form onSubmit={save} className="flex flex-col gap-4">
      <Field
        label="Public key"
        error={fields.publicKey}
        hint={
          <>
            One line, as <code className="font-mono">cat ~/.ssh/id_ed25519.pub</code> prints it.
          </>
        }
      >
        {(control) => (
          <Textarea
            {...control}
            mono
            rows={4}
            required
            spellCheck={false}
            autoComplete="off"
            placeholder="ssh-ed25519 AAAA… you@laptop"
            value={publicKey}
            onChange={(event) => setPublicKey(event.target.value)}
          />
        )}
      </Field>
      <Field label="Name" error={fields.name}>
        {(control) => (
          <Input
            {...control}
            required
            maxLength={64}
            value={name}
            onChange={(event) => setTypedName(event.target.value)}
          />
        )}
      </Field>
      {error ? <Banner tone="bad">{error}</Banner> : null}
      <div className="flex justify-end">
        <Button type="submit" variant="primary" loading={isPending}>
          Save key
        </Button>
      </div>
    </form>
  );
}

/** What follows the key on its line: "you@laptop". */
function commentOf(publicKey: string): string {
  return publicKey.trim().split(/\s+/).slice(2).join(" ").slice(0, 64);
}
