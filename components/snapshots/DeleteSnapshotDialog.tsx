"use client";

import type { Snapshot } from "../../lib/domain/snapshot";
import { formatBytes } from "../../lib/domain/units";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { requestDelete } from "./snapshotRequests";
import { totalBytes } from "./snapshotWords";
import { useSnapshotRefresh } from "./useSnapshotRefresh";

interface DeleteSnapshotDialogProps {
  snapshot: Snapshot;
  onClose: () => void;
}

/** Asks once, and says what stays. */
export function DeleteSnapshotDialog({ snapshot, onClose }: DeleteSnapshotDialogProps) {
  const refresh = useSnapshotRefresh();
  const freed = totalBytes(snapshot);
  const remove = async () => {
    await requestDelete(snapshot.id);
    await refresh(snapshot.vm.id);
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => open || onClose()}
      title={`Delete the snapshot “${snapshot.name}”?`}
      confirmLabel="Delete snapshot"
      onConfirm={remove}
    >
      <p>
        {snapshot.vm.name} can't be put back to it any more
        {snapshot.hasMemory ? ", and the memory that it holds is lost" : ""}. Other snapshots, and VMs that were made
        from this one, stay whole.{" "}
        {freed === null ? null : `Up to ${formatBytes(freed)} come back, but for what others still need.`}
      </p>
    </ConfirmDialog>
  );
}
