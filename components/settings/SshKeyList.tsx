"use client";

import { KeyRound, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { apiRequest } from "../../lib/api/client";
import type { SshKey } from "../../lib/domain/sshKey";
import { useSshKeys } from "../data/hooks";
import { ReadingState } from "../data/ReadingState";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { CopyText } from "../ui/CopyText";
import { EmptyState } from "../ui/EmptyState";
import { IconButton } from "../ui/IconButton";
import { notify } from "../ui/notify";
import { RelativeTime } from "../ui/RelativeTime";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../ui/Table";
import { AddSshKeyDialog } from "./AddSshKeyDialog";

export function SshKeyList() {
  const keys = useSshKeys();
  const [isAdding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<SshKey>();
  const addButton = (
    <Button variant="primary" icon={<Plus aria-hidden />} onClick={() => setAdding(true)}>
      Add key
    </Button>
  );
  return (
    <Card
      flush
      title="SSH keys"
      description="Public keys that new VMs let in. A VM keeps the keys it was created with."
      actions={keys.data?.length ? addButton : undefined}
    >
      <ReadingState reading={keys} what="SSH keys">
        {(list) =>
          list.length === 0 ? (
            <EmptyState icon={<KeyRound aria-hidden />} title="No SSH keys yet" action={addButton}>
              With a key you get into a VM without a password. Paste the public key that you have, or have one made
              here.
            </EmptyState>
          ) : (
            <Table label="SSH keys">
              <TableHead>
                <Th>Name</Th>
                <Th>Fingerprint</Th>
                <Th className="hidden sm:table-cell">Added</Th>
                <Th>
                  <span className="sr-only">Actions</span>
                </Th>
              </TableHead>
              <TableBody>
                {list.map((key) => (
                  <Tr key={key.id}>
                    <Td className="max-w-56 truncate font-medium">{key.name}</Td>
                    <Td className="max-w-40 sm:max-w-96">
                      <CopyText text={key.fingerprint} what="fingerprint" />
                    </Td>
                    <Td className="hidden whitespace-nowrap text-muted sm:table-cell">
                      <RelativeTime at={key.createdAt} />
                    </Td>
                    <Td className="text-right">
                      <IconButton
                        size="iconSm"
                        label={`Delete ${key.name}`}
                        icon={<Trash2 aria-hidden />}
                        onClick={() => setLeaving(key)}
                      />
                    </Td>
                  </Tr>
                ))}
              </TableBody>
            </Table>
          )
        }
      </ReadingState>
      <AddSshKeyDialog key={String(isAdding)} open={isAdding} onOpenChange={setAdding} />
      <ConfirmDialog
        open={leaving !== undefined}
        onOpenChange={() => setLeaving(undefined)}
        title={`Delete key ${leaving?.name ?? ""}?`}
        confirmLabel="Delete key"
        onConfirm={async () => {
          if (!leaving) return;
          await apiRequest("DELETE", `/api/ssh-keys/${leaving.id}`);
          keys.reload();
          notify(`Key ${leaving.name} deleted.`);
        }}
      >
        New VMs can no longer be given it. VMs that have it keep letting it in: remove it inside them.
      </ConfirmDialog>
    </Card>
  );
}
