"use client";

import { History } from "lucide-react";
import { useState } from "react";
import { apiRequest } from "../../lib/api/client";
import { formatExact } from "../../lib/browser/time";
import type { Backup, BackupRepository } from "../../lib/domain/backup";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { useBackups, useOperations } from "../data/hooks";
import { keys } from "../data/keys";
import { ReadingState } from "../data/ReadingState";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { EmptyState } from "../ui/EmptyState";
import { notify } from "../ui/notify";
import { RelativeTime } from "../ui/RelativeTime";
import { StatusDot } from "../ui/StatusDot";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../ui/Table";
import { TextLink } from "../ui/TextLink";
import { BackUpNowDialog } from "./BackUpNowDialog";
import { BackupProgress } from "./BackupProgress";
import { backupStatusWords, copyWords, momentOf, tierWords } from "./backupWords";
import { CopyAgainButton } from "./CopyAgainButton";
import { RestoreBackupDialog } from "./RestoreBackupDialog";

/** What backups of a VM there are, here and in repositories. */
export function BackupList({ vm, repositories }: { vm: Vm; repositories: BackupRepository[] }) {
  const backups = useBackups(vm.id);
  const { data: operations } = useOperations(vm.id);
  const [isAsking, setAsking] = useState(false);
  const [leaving, setLeaving] = useState<Backup>();
  const [restoring, setRestoring] = useState<Backup>();
  const nameOf = (id: number) => repositories.find((repository) => repository.id === id)?.name ?? "a repository";
  const copyOf = ({ copy, repositoryId }: Backup) =>
    copy && repositoryId !== null ? copyWords(copy, nameOf(repositoryId)) : null;
  const button = (
    <Button
      onClick={() => setAsking(true)}
      disabledReason={repositories.length === 0 ? "Add a repository in the settings first." : undefined}
    >
      Back up now
    </Button>
  );
  return (
    <Card flush title="Backups" description="By the schedule and by hand." actions={button}>
      <ReadingState reading={backups} what="backups">
        {(items) =>
          items.length === 0 ? (
            <EmptyState icon={<History aria-hidden />} title="No backups yet">
              A backup is a snapshot that is taken by itself, and a copy of it in a repository if you name one. Turn the
              schedule on
              {repositories.length === 0 ? ". To back up by hand, add a repository first." : ", or back up now."}
            </EmptyState>
          ) : (
            <Table label="Backups">
              <TableHead>
                <Th>When</Th>
                <Th>Status</Th>
                <Th className="hidden sm:table-cell">Copy</Th>
                <Th>
                  <span className="sr-only">Actions</span>
                </Th>
              </TableHead>
              <TableBody>
                {items.map((backup) => (
                  <Tr key={backup.id}>
                    <Td>
                      <span className="font-medium">{tierWords[backup.tier]}</span>{" "}
                      <span className="whitespace-nowrap text-muted">
                        <RelativeTime at={momentOf(backup)} />
                      </span>
                    </Td>
                    <Td>
                      <BackupStatus
                        backup={backup}
                        operation={operations?.find(({ id }) => id === backup.operationId)}
                      />
                      {backupStatusWords[backup.status].moving ? null : (
                        <span className="block text-muted text-xs sm:hidden">{copyOf(backup) ?? "No copy"}</span>
                      )}
                    </Td>
                    <Td className="hidden text-muted sm:table-cell">{copyOf(backup) ?? "None"}</Td>
                    <Td>
                      <div className="flex flex-col items-end sm:flex-row sm:justify-end">
                        {backup.status === "failed" ? (
                          <CopyAgainButton backup={backup} onDone={backups.reload} />
                        ) : backup.status === "done" && !backup.copy ? (
                          <TextLink href={`/vms/${vm.id}/snapshots`} className="self-center px-2 text-sm">
                            Restore its snapshot
                          </TextLink>
                        ) : (
                          <Button
                            size="sm"
                            variant="ghost"
                            aria-label={`Restore the backup of ${formatExact(momentOf(backup))}`}
                            disabledReason={backup.copy ? undefined : "It is not there yet."}
                            onClick={() => setRestoring(backup)}
                          >
                            Restore
                          </Button>
                        )}
                        <Button
                          size="sm"
                          variant="dangerGhost"
                          aria-label={`Remove the backup of ${formatExact(momentOf(backup))}`}
                          onClick={() => setLeaving(backup)}
                        >
                          Remove
                        </Button>
                      </div>
                    </Td>
                  </Tr>
                ))}
              </TableBody>
            </Table>
          )
        }
      </ReadingState>
      <BackUpNowDialog
        key={String(isAsking)}
        vm={vm}
        repositories={repositories}
        open={isAsking}
        onOpenChange={setAsking}
      />
      {restoring?.copy && restoring.repositoryId !== null ? (
        <RestoreBackupDialog
          repositoryId={restoring.repositoryId}
          backup={{ key: restoring.copy.key, vmName: vm.name, takenAt: momentOf(restoring) }}
          onClose={() => setRestoring(undefined)}
        />
      ) : null}
      <ConfirmDialog
        open={leaving !== undefined}
        onOpenChange={() => setLeaving(undefined)}
        title={`Remove the backup of ${leaving ? formatExact(momentOf(leaving)) : ""}?`}
        confirmLabel="Remove backup"
        onConfirm={async () => {
          if (!leaving) return;
          await apiRequest("DELETE", `${keys.backups(vm.id)}/${leaving.id}`);
          backups.reload();
          notify("The backup is being removed.");
        }}
      >
        What there is of it, a snapshot on this host and a copy, is removed. This can't be undone.
      </ConfirmDialog>
    </Card>
  );
}

function BackupStatus({ backup, operation }: { backup: Backup; operation: Operation | undefined }) {
  const { label, tone, moving } = backupStatusWords[backup.status];
  return (
    <span className="flex flex-col">
      <span className="inline-flex items-center gap-2">
        <StatusDot tone={tone} moving={moving} />
        {label}
      </span>
      {operation ? <BackupProgress operation={operation} label={`${label}: ${formatExact(momentOf(backup))}`} /> : null}
      {backup.error ? <span className="text-bad-ink text-xs">{backup.error}</span> : null}
    </span>
  );
}
