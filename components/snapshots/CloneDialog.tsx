"use client";

import { useRouter } from "next/navigation";
import type { Vm } from "../../lib/domain/vm";
import { useRequestKey } from "../data/useRequestKey";
import { NewVmDialog } from "./NewVmDialog";
import { requestClone } from "./snapshotRequests";

interface CloneDialogProps {
  vm: Pick<Vm, "id" | "name">;
  onClose: () => void;
}

/** Asks for a clone's name. */
export function CloneDialog({ vm, onClose }: CloneDialogProps) {
  const router = useRouter();
  const keyOf = useRequestKey();
  return (
    <NewVmDialog
      title={`Clone ${vm.name}`}
      description={`A new VM with a copy of its disk as it is now. It has the same size, network and SSH keys, and a name, address and identity of its own. ${vm.name} goes on meanwhile.`}
      baseName={vm.name}
      submitLabel="Clone"
      onClose={onClose}
      make={async (name) => {
        const { vm: clone } = await requestClone(vm.id, name, keyOf(name));
        if (clone) router.push(`/vms/${clone.id}`);
      }}
    />
  );
}
