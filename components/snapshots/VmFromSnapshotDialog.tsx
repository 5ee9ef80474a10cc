"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import type { Snapshot } from "../../lib/domain/snapshot";
import { useSshKeys } from "../data/hooks";
import { useRequestKey } from "../data/useRequestKey";
import { Checkbox } from "../ui/Checkbox";
import { NewVmDialog } from "./NewVmDialog";
import { requestVm } from "./snapshotRequests";

interface VmFromSnapshotDialogProps {
  snapshot: Snapshot;
  onClose: () => void;
}

/** Asks for the name and keys of a new VM that begins with a snapshot's disk. */
export function VmFromSnapshotDialog({ snapshot, onClose }: VmFromSnapshotDialogProps) {
  const router = useRouter();
  const keyOf = useRequestKey();
  const { data: saved = [] } = useSshKeys();
  const [chosen, setChosen] = useState<string[]>();
  // The only key there is, is likely the right one.
  const sshKeys = chosen ?? (saved.length === 1 ? saved.map(({ name }) => name) : []);
  return (
    <NewVmDialog
      title={`New VM from “${snapshot.name}”`}
      description={`Its disk begins as ${snapshot.vm.name}'s was then, and its size is the same. It boots: memory isn't taken over. Host name, address, machine id and host keys are its own.`}
      baseName={snapshot.vm.name}
      submitLabel="Create VM"
      onClose={onClose}
      make={async (name) => {
        const body = { name, snapshot: snapshot.id, ...(sshKeys.length > 0 && { sshKeys }) };
        const vm = await requestVm(body, keyOf(body));
        router.push(`/vms/${vm.id}`);
      }}
    >
      {saved.length === 0 ? null : (
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-1 font-medium text-sm">SSH keys</legend>
          {saved.map(({ id, name }) => (
            <Checkbox
              key={id}
              label={name}
              checked={sshKeys.includes(name)}
              onChange={({ target }) =>
                setChosen(target.checked ? [...sshKeys, name] : sshKeys.filter((each) => each !== name))
              }
            />
          ))}
        </fieldset>
      )}
    </NewVmDialog>
  );
}
