"use client";

import { Download } from "lucide-react";
import { type FormEvent, useState } from "react";
import { apiRequest } from "../../lib/api/client";
import { downloadText } from "../../lib/browser/download";
import { generateSshKey, keygenProblem } from "../../lib/browser/sshKeygen";
import type { SshKey } from "../../lib/domain/sshKey";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { CodeBlock } from "../ui/CodeBlock";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";
import type { SshKeyFormProps } from "./PasteSshKeyForm";

interface MadeKey {
  key: SshKey;
  privateKey: string;
  fileName: string;
}

export function GenerateSshKeyForm({ close, onAdded }: SshKeyFormProps) {
  const [name, setName] = useState("cumulus");
  const [made, setMade] = useState<MadeKey>();
  const { isPending, error, fields, submit } = useSubmit("name");
  const problem = keygenProblem();

  const make = async (event: FormEvent) => {
    event.preventDefault();
    if (problem !== undefined) return;
    await submit(async () => {
      const pair = await generateSshKey(name);
      const key = await apiRequest<SshKey>("POST", "/api/ssh-keys", { name, publicKey: pair.publicKey });
      const fileName = fileNameOf(name);
      downloadText(fileName, pair.privateKey);
      setMade({ key, privateKey: pair.privateKey, fileName });
      onAdded(key);
    });
  };

  if (made) return <Made made={made} close={close} />;
  return (
    <form onSubmit={make} className="flex flex-col gap-4">
      <p className="text-muted text-sm">
        An Ed25519 key pair is made in this browser. You download the private key; Cumulus gets the public one only.
      </p>
      <Field label="Name" error={fields.name}>
        {(control) => (
          <Input {...control} required maxLength={64} value={name} onChange={(event) => setName(event.target.value)} />
        )}
      </Field>
      {error ? <Banner tone="bad">{error}</Banner> : null}
      <div className="flex justify-end">
        <Button
          type="submit"
          variant="primary"
          icon={<Download aria-hidden />}
          loading={isPending}
          disabledReason={problem}
        >
          Make and download
        </Button>
      </div>
    </form>
  );
}

function Made({ made, close }: { made: MadeKey; close: () => void }) {
  return (
    <div className="flex flex-col gap-4">
      <Banner tone="ok" title={`Key ${made.key.name} saved`}>
        Its private half is in your downloads as {made.fileName}. It is nowhere else: closing this forgets it.
      </Banner>
      <div>
        <p className="mb-1.5 text-muted text-sm">Move it where ssh finds it:</p>
        <CodeBlock
          what="commands that install the key"
          code={`mv ~/Downloads/${made.fileName} ~/.ssh/\nchmod 600 ~/.ssh/${made.fileName}\nssh -i ~/.ssh/${made.fileName} …`}
        />
      </div>
      <div className="flex justify-end gap-2">
        <Button icon={<Download aria-hidden />} onClick={() => downloadText(made.fileName, made.privateKey)}>
          Download again
        </Button>
        <Button variant="primary" onClick={close}>
          Done
        </Button>
      </div>
    </div>
  );
}

/** A file name that needs no quoting in a shell. */
function fileNameOf(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "");
  return `id_ed25519_${plain || "cumulus"}`;
}
