"use client";

import { useState } from "react";
import type { SshKey } from "../../lib/domain/sshKey";
import { Dialog } from "../ui/Dialog";
import { SegmentedControl } from "../ui/SegmentedControl";
import { GenerateSshKeyForm } from "./GenerateSshKeyForm";
import { PasteSshKeyForm } from "./PasteSshKeyForm";

interface AddSshKeyDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  /** The key is saved. */
  onAdded?: (key: SshKey) => void;
}

/** Adds an SSH key: a pasted one, or one that the browser makes. */
export function AddSshKeyDialog({ open, onOpenChange, onAdded }: AddSshKeyDialogProps) {
  const [source, setSource] = useState<"paste" | "generate">("paste");
  const [isAdded, setAdded] = useState(false);
  const close = () => onOpenChange(false);
  const forms = { paste: PasteSshKeyForm, generate: GenerateSshKeyForm };
  const Form = forms[source];
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Add an SSH key">
      <div className="flex flex-col gap-4">
        {isAdded ? null : (
          <SegmentedControl
            label="Where the key comes from"
            value={source}
            onChange={setSource}
            options={[
              { value: "paste", label: "Paste a public key" },
              { value: "generate", label: "Make a new one" },
            ]}
          />
        )}
        <Form
          close={close}
          onAdded={(key) => {
            setAdded(true);
            onAdded?.(key);
          }}
        />
      </div>
    </Dialog>
  );
}
