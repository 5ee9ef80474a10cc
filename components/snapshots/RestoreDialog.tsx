"use client";

import { useState } from "react";
import { formatExact } from "../../lib/browser/time";
import type { Snapshot } from "../../lib/domain/snapshot";
import { Checkbox } from "../ui/Checkbox";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { notify } from "../ui/notify";
import { requestRestore } from "./snapshotRequests";
import { clockWords } from "./snapshotWords";
import { useSnapshotRefresh } from "./useSnapshotRefresh";

interface RestoreDialogProps {
  snapshot: Snapshot;
  onClose: () => void;
}

/** Asks once, names what is lost, and offers to keep it. */
export function RestoreDialog({ snapshot, onClose }: RestoreDialogProps) {
  const [isSafe, setSafe] = useState(true);
  const [memory, setMemory] = useState(snapshot.hasMemory);
  const refresh = useSnapshotRefresh();
  const { vm, name } = snapshot;
  const restore = async () => {
    await requestRestore(snapshot.id, { safetySnapshot: isSafe, memory: snapshot.hasMemory && memory });
    await refresh(vm.id);
    notify(`Restore ${vm.name} to ${name}: accepted.`);
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => open || onClose()}
      title={`Restore ${vm.name} to “${name}”?`}
      confirmLabel={`Restore ${vm.name}`}
      tone={isSafe ? "primary" : "danger"}
      onConfirm={restore}
    >
      <div className="flex flex-col gap-3">
        <p>
          Its disk becomes what it was at {formatExact(snapshot.createdAt)}.{" "}
          {memory
            ? `So does its memory: it goes on where it was, also if it is off now. ${clockWords(snapshot)}`
            : "If it runs now, it is ended and boots from that disk; if it is off, it stays off."}{" "}
          Name, address and MAC stay.
        </p>
        {snapshot.hasMemory ? (
          <Checkbox
            checked={memory}
            onChange={(event) => setMemory(event.target.checked)}
            label={
              <>
                Its memory, too
                <span className="block text-xs">
                  Needs the processor, devices and interfaces that the VM had then. Its disk alone always fits.
                </span>
              </>
            }
          />
        ) : null}
        <Checkbox
          checked={isSafe}
          onChange={(event) => setSafe(event.target.checked)}
          label={
            <>
              First take a snapshot of how it is now
              <span className="block text-xs">
                {isSafe
                  ? "So that you can come back from this, too."
                  : "Without one, all that it wrote since then is lost. This can't be undone."}
              </span>
            </>
          }
        />
      </div>
    </ConfirmDialog>
  );
}
