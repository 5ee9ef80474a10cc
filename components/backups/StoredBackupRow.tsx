"use client";

import { formatExact } from "../../lib/browser/time";
import type { StoredBackup } from "../../lib/domain/backup";
import { isUnderWay } from "../activity/operationWords";
import { useOperation } from "../data/hooks";
import { Button } from "../ui/Button";
import { Td, Tr } from "../ui/Table";

interface StoredBackupRowProps {
  backup: StoredBackup;
  /** The operation that removes it; null before somebody asks for that. */
  removalId: number | null;
  onRestore: () => void;
  onRemove: () => void;
}

/** One copy in a repository. */
export function StoredBackupRow({ backup, removalId, onRestore, onRemove }: StoredBackupRowProps) {
  const { data: removal } = useOperation(removalId);
  const isGoing = removalId !== null && (removal === undefined || removal.status === "done" || isUnderWay(removal));
  const what = `${backup.vmName} of ${formatExact(backup.takenAt)}`;
  const disabledReason = isGoing ? "It is being removed." : undefined;
  return (
    <Tr>
      <Td className="font-medium">{backup.vmName}</Td>
      <Td className="text-muted">
        {formatExact(backup.takenAt)}
        {isGoing ? <span className="block text-xs">Being removed</span> : null}
        {removal?.error ? (
          <span className="block text-bad-ink text-xs">It was not removed. {removal.error}</span>
        ) : null}
      </Td>
      <Td>
        <div className="flex flex-col items-end sm:flex-row sm:justify-end">
          <Button
            size="sm"
            variant="ghost"
            aria-label={`Restore ${what}`}
            disabledReason={disabledReason}
            onClick={onRestore}
          >
            Restore
          </Button>
          <Button
            size="sm"
            variant="dangerGhost"
            aria-label={`Remove ${what}`}
            disabledReason={disabledReason}
            onClick={onRemove}
          >
            Remove
          </Button>
        </div>
      </Td>
    </Tr>
  );
}
