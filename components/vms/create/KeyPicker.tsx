"use client";

import { Plus } from "lucide-react";
import { useState } from "react";
import { useSWRConfig } from "swr";
import type { SshKey } from "../../../lib/domain/sshKey";
import { keys } from "../../data/keys";
import { AddSshKeyDialog } from "../../settings/AddSshKeyDialog";
import { Button } from "../../ui/Button";
import { Checkbox } from "../../ui/Checkbox";
import { Field } from "../../ui/Field";
import { Textarea } from "../../ui/Textarea";

interface KeyPickerProps {
  saved: readonly SshKey[];
  /** Names of the saved keys that are chosen. */
  chosen: readonly string[];
  onChoose: (names: string[]) => void;
  /** Keys for this VM alone, one a line. */
  ownKeys: string;
  onOwnKeys: (text: string) => void;
  problem: string | undefined;
}

/** Saved keys to choose, a new one to save or to make in the browser, or one for this VM alone. */
export function KeyPicker({ saved, chosen, onChoose, ownKeys, onOwnKeys, problem }: KeyPickerProps) {
  const { mutate } = useSWRConfig();
  const [isAdding, setAdding] = useState(false);
  const [isPasting, setPasting] = useState(ownKeys !== "");
  const toggle = (name: string, isChosen: boolean) =>
    onChoose(isChosen ? [...chosen, name] : chosen.filter((each) => each !== name));
  const hasNone = chosen.length === 0 && ownKeys.trim() === "";
  return (
    <div className="flex flex-col gap-3">
      {saved.length > 0 ? (
        <ul className="grid grid-cols-1 gap-2 sm:grid-cols-2">
          {saved.map((key) => (
            <li key={key.id}>
              <Checkbox
                label={
                  <>
                    {key.name}
                    <span className="block truncate font-mono text-faint text-xs">{key.fingerprint}</span>
                  </>
                }
                checked={chosen.includes(key.name)}
                onChange={(event) => toggle(key.name, event.target.checked)}
              />
            </li>
          ))}
        </ul>
      ) : null}
      {isPasting ? (
        <Field label="Public keys for this VM alone" hint="One a line, as in the .pub file." error={problem}>
          {(control) => (
            <Textarea
              {...control}
              mono
              rows={3}
              spellCheck={false}
              placeholder="ssh-ed25519 AAAA… you@laptop"
              value={ownKeys}
              onChange={(event) => onOwnKeys(event.target.value)}
            />
          )}
        </Field>
      ) : problem ? (
        <p role="alert" className="text-bad-ink text-xs">
          {problem}
        </p>
      ) : null}
      <div className="flex flex-wrap gap-2">
        <Button size="sm" icon={<Plus aria-hidden />} onClick={() => setAdding(true)}>
          Add or make a key…
        </Button>
        {isPasting ? null : (
          <Button size="sm" variant="ghost" onClick={() => setPasting(true)}>
            Paste one for this VM alone
          </Button>
        )}
      </div>
      {hasNone ? (
        <p className="text-muted text-xs">Without a key you can use its console, but you can't log in over SSH.</p>
      ) : null}
      <AddSshKeyDialog
        open={isAdding}
        onOpenChange={setAdding}
        onAdded={(key) => {
          toggle(key.name, true);
          void mutate(keys.sshKeys);
        }}
      />
    </div>
  );
}
