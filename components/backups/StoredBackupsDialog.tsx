"use client";

import { useState } from "react";
import { apiRequest } from "../../lib/api/client";
import { formatExact } from "../../lib/browser/time";
import type { BackupRepository, StoredBackup } from "../../lib/domain/backup";
import type { Operation } from "../../lib/domain/operation";
import { useStoredBackups } from "../data/hooks";
import { keys } from "../data/keys";
import { ReadingState } from "../data/ReadingState";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { Dialog } from "../ui/Dialog";
import { EmptyState } from "../ui/EmptyState";
import { Table, TableBody, TableHead, Th } from "../ui/Table";
import { RestoreBackupDialog } from "./RestoreBackupDialog";
import { StoredBackupRow } from "./StoredBackupRow";

/** What a repository says is in it, each to be restored into a new VM or removed. */
export function StoredBackupsDialog({ repository, onClose }: { repository: BackupRepository; onClose: () => void }) {
  const stored = useStoredBackups(repository.id);
  const [restoring, setRestoring] = useState<StoredBackup>();
  const [leaving, setLeaving] = useState<StoredBackup>();
  /** By key, the operation that removes it. */
  const [removals, setRemovals] = useState<Record<string, number>>({});
  if (restoring) return <RestoreBackupDialog repositoryId={repository.id} backup={restoring} onClose={onClose} />;
  return (
    <Dialog open onOpenChange={onClose} title={`In ${repository.name}`} width="lg">
      <ReadingState reading={stored} what="what is in it">
        {(items) =>
          items.length === 0 ? (
            <EmptyState title="Nothing is in it yet">Back a VM up, by its schedule or by hand.</EmptyState>
          ) : (
            <Table label={`Backups in ${repository.name}`}>
              <TableHead>
                <Th>VM</Th>
                <Th>Taken</Th>
                <Th>
                  <span className="sr-only">Actions</span>
                </Th>
              </TableHead>
              <TableBody>
                {items.map((backup) => (
                  <StoredBackupRow
                    key={backup.key}
                    backup={backup}
                    removalId={removals[backup.key] ?? null}
                    onRestore={() => setRestoring(backup)}
                    onRemove={() => setLeaving(backup)}
                  />
                ))}
              </TableBody>
            </Table>
          )
        }
      </ReadingState>
      <ConfirmDialog
        open={leaving !== undefined}
        onOpenChange={() => setLeaving(undefined)}
        title={leaving ? `Remove ${leaving.vmName} of ${formatExact(leaving.takenAt)}?` : ""}
        confirmLabel="Remove copy"
        onConfirm={async () => {
          if (!leaving) return;
          const { key } = leaving;
          const { id } = await apiRequest<Operation>("DELETE", `${keys.storedBackups(repository.id)}/${key}`);
          setRemovals((before) => ({ ...before, [key]: id }));
        }}
      >
        Nobody can restore it any more, on this installation or another. This can't be undone.
      </ConfirmDialog>
    </Dialog>
  );
}
