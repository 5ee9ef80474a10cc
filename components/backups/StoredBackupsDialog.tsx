"use client";

import { useState } from "react";
import { formatExact } from "../../lib/browser/time";
import type { BackupRepository, StoredBackup } from "../../lib/domain/backup";
import { useStoredBackups } from "../data/hooks";
import { ReadingState } from "../data/ReadingState";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { EmptyState } from "../ui/EmptyState";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../ui/Table";
import { RestoreBackupDialog } from "./RestoreBackupDialog";

/** What a repository says is in it, each to be restored into a new VM. */
export function StoredBackupsDialog({ repository, onClose }: { repository: BackupRepository; onClose: () => void }) {
  const stored = useStoredBackups(repository.id);
  const [restoring, setRestoring] = useState<StoredBackup>();
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
                  <Tr key={backup.key}>
                    <Td className="font-medium">{backup.vmName}</Td>
                    <Td className="text-muted">{formatExact(backup.takenAt)}</Td>
                    <Td className="text-right">
                      <Button
                        size="sm"
                        aria-label={`Restore ${backup.vmName} of ${formatExact(backup.takenAt)}`}
                        onClick={() => setRestoring(backup)}
                      >
                        Restore
                      </Button>
                    </Td>
                  </Tr>
                ))}
              </TableBody>
            </Table>
          )
        }
      </ReadingState>
    </Dialog>
  );
}
