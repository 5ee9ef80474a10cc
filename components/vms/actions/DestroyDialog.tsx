"use client";

import dynamic from "next/dynamic";
import { useState } from "react";
import { useSWRConfig } from "swr";
import type { Vm } from "../../../lib/domain/vm";
import { keys } from "../../data/keys";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { lostWith, lostWithAll } from "../shared/vmWords";
import { failureSummary, runForAll } from "./runForAll";
import { requestDestroy } from "./vmRequests";

const KeptSnapshots = dynamic(() => import("../../snapshots/KeptSnapshots").then((module) => module.KeptSnapshots));

interface DestroyDialogProps {
  /** What is to be destroyed; the dialog is open while there is something. */
  vms: readonly Vm[];
  onClose: () => void;
  /** When all were asked to go. */
  onDone?: () => void;
}

/** Asks once, and names what is lost. */
export function DestroyDialog({ vms, onClose, onDone }: DestroyDialogProps) {
  const { mutate } = useSWRConfig();
  const [withSnapshots, setWithSnapshots] = useState(false);
  const [first] = vms;
  const what = vms.length === 1 && first ? first.name : `${vms.length} VMs`;
  const destroy = async () => {
    const failure = failureSummary(await runForAll(vms, (vm) => requestDestroy(vm.id, withSnapshots)), vms.length);
    await Promise.all([mutate(keys.vms), ...vms.map((vm) => mutate(keys.vm(vm.id)))]);
    if (failure) throw new Error(failure);
    onDone?.();
  };
  return (
    <ConfirmDialog
      open={vms.length > 0}
      onOpenChange={(open) => {
        if (open) return;
        setWithSnapshots(false);
        onClose();
      }}
      title={`Destroy ${what}?`}
      confirmLabel={`Destroy ${what}`}
      {...(withSnapshots && { requireText: what })}
      onConfirm={destroy}
    >
      {vms.length === 1 && first ? (
        <p>{lostWith(first)}</p>
      ) : (
        <>
          <p>{lostWithAll(vms)}</p>
          <ul className="mt-2 max-h-48 columns-2 overflow-y-auto font-mono text-ink text-xs leading-5">
            {vms.map((vm) => (
              <li key={vm.id} className="truncate">
                {vm.name}
              </li>
            ))}
          </ul>
        </>
      )}
      {vms.length > 0 ? <KeptSnapshots vms={vms} isDeleting={withSnapshots} onChange={setWithSnapshots} /> : null}
    </ConfirmDialog>
  );
}
