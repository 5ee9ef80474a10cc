"use client";

import { Archive, Plus } from "lucide-react";
import { useState } from "react";
import { apiRequest } from "../../lib/api/client";
import type { BackupRepository } from "../../lib/domain/backup";
import { useBackupRepositories } from "../data/hooks";
import { keys } from "../data/keys";
import { ReadingState } from "../data/ReadingState";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { EmptyState } from "../ui/EmptyState";
import { notify } from "../ui/notify";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../ui/Table";
import { TextLink } from "../ui/TextLink";
import { AddRepositoryDialog } from "./AddRepositoryDialog";
import { EditRepositoryDialog } from "./EditRepositoryDialog";
import { StoredBackupsDialog } from "./StoredBackupsDialog";

/** Where copies of VMs go. */
export function RepositoryList() {
  const repositories = useBackupRepositories();
  const [isAdding, setAdding] = useState(false);
  const [opened, setOpened] = useState<BackupRepository>();
  const [editing, setEditing] = useState<BackupRepository>();
  const [leaving, setLeaving] = useState<BackupRepository>();
  const addButton = (
    <Button variant="primary" icon={<Plus aria-hidden />} onClick={() => setAdding(true)}>
      Add repository
    </Button>
  );
  return (
    <Card
      flush
      title="Backup repositories"
      description={
        <>
          Encrypted copies of VMs, off this machine’s disk. <TextLink href="/docs/snapshots#backups">Guide</TextLink>
        </>
      }
      actions={repositories.data?.length ? addButton : undefined}
    >
      <ReadingState reading={repositories} what="backup repositories">
        {(list) =>
          list.length === 0 ? (
            <EmptyState icon={<Archive aria-hidden />} title="No repositories yet" action={addButton}>
              A snapshot is lost with the disk that it is on. A repository is a folder on another disk, or a bucket of
              an S3 store. One that holds backups already can be added too, to restore them here.
            </EmptyState>
          ) : (
            <Table label="Backup repositories">
              <TableHead>
                <Th>Name</Th>
                <Th className="hidden sm:table-cell">Where</Th>
                <Th className="hidden sm:table-cell">Used by</Th>
                <Th>
                  <span className="sr-only">Actions</span>
                </Th>
              </TableHead>
              <TableBody>
                {list.map((repository) => (
                  <Tr key={repository.id}>
                    <Td className="max-w-36 font-medium sm:max-w-56">
                      <span className="block truncate">{repository.name}</span>
                      <code className="block truncate font-mono font-normal text-muted text-xs sm:hidden">
                        {repository.location}
                      </code>
                    </Td>
                    <Td className="hidden max-w-72 truncate sm:table-cell">
                      <code className="font-mono text-xs">{repository.location}</code>
                    </Td>
                    <Td className="hidden whitespace-nowrap text-muted sm:table-cell">
                      {repository.policyCount === 1 ? "1 schedule" : `${repository.policyCount} schedules`}
                    </Td>
                    <Td className="whitespace-nowrap text-right">
                      <Button
                        size="sm"
                        variant="ghost"
                        aria-label={`Show what is in ${repository.name}`}
                        onClick={() => setOpened(repository)}
                      >
                        Show
                      </Button>
                      <Button
                        size="sm"
                        variant="ghost"
                        aria-label={`Edit ${repository.name}`}
                        onClick={() => setEditing(repository)}
                      >
                        Edit
                      </Button>
                      <Button
                        size="sm"
                        variant="dangerGhost"
                        aria-label={`Forget ${repository.name}`}
                        disabledReason={
                          repository.policyCount > 0 ? "Schedules copy to it: change them first." : undefined
                        }
                        onClick={() => setLeaving(repository)}
                      >
                        Forget
                      </Button>
                    </Td>
                  </Tr>
                ))}
              </TableBody>
            </Table>
          )
        }
      </ReadingState>
      <AddRepositoryDialog
        key={String(isAdding)}
        open={isAdding}
        onOpenChange={setAdding}
        onAdded={repositories.reload}
      />
      {editing ? (
        <EditRepositoryDialog
          repository={editing}
          onClose={() => setEditing(undefined)}
          onChanged={repositories.reload}
        />
      ) : null}
      {opened ? <StoredBackupsDialog repository={opened} onClose={() => setOpened(undefined)} /> : null}
      <ConfirmDialog
        open={leaving !== undefined}
        onOpenChange={() => setLeaving(undefined)}
        title={`Forget ${leaving?.name ?? ""}?`}
        confirmLabel="Forget repository"
        onConfirm={async () => {
          if (!leaving) return;
          await apiRequest("DELETE", `${keys.backupRepositories}/${leaving.id}`);
          repositories.reload();
          notify(`${leaving.name} is forgotten.`);
        }}
      >
        What is in it stays where it is. With its password it can be added again.
      </ConfirmDialog>
    </Card>
  );
}
