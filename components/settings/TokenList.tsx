"use client";

import { KeySquare, Plus } from "lucide-react";
import { useState } from "react";
import { apiRequest } from "../../lib/api/client";
import type { Token } from "../../lib/domain/token";
import { useTokens } from "../data/hooks";
import { ReadingState } from "../data/ReadingState";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { EmptyState } from "../ui/EmptyState";
import { notify } from "../ui/notify";
import { RelativeTime } from "../ui/RelativeTime";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../ui/Table";
import { CreateTokenDialog } from "./CreateTokenDialog";

export function TokenList() {
  const tokens = useTokens();
  const [isCreating, setCreating] = useState(false);
  const [leaving, setLeaving] = useState<Token>();
  const createButton = (
    <Button variant="primary" icon={<Plus aria-hidden />} onClick={() => setCreating(true)}>
      Create token
    </Button>
  );
  return (
    <Card
      flush
      title="API tokens"
      description="Whatever this dashboard does, a program with a token can do, but for changing your password."
      actions={tokens.data?.length ? createButton : undefined}
    >
      <ReadingState reading={tokens} what="API tokens">
        {(list) =>
          list.length === 0 ? (
            <EmptyState icon={<KeySquare aria-hidden />} title="No API tokens yet" action={createButton}>
              A token lets curl, scripts and other programs use Cumulus in your name, until you revoke it.
            </EmptyState>
          ) : (
            <Table label="API tokens">
              <TableHead>
                <Th>Name</Th>
                <Th>Begins with</Th>
                <Th>Last used</Th>
                <Th className="hidden sm:table-cell">Created</Th>
                <Th>
                  <span className="sr-only">Actions</span>
                </Th>
              </TableHead>
              <TableBody>
                {list.map((token) => (
                  <Tr key={token.id}>
                    <Td className="max-w-56 truncate font-medium">{token.name}</Td>
                    <Td>
                      <code className="font-mono text-xs">{token.prefix}…</code>
                    </Td>
                    <Td className="whitespace-nowrap text-muted">
                      {token.lastUsedAt ? <RelativeTime at={token.lastUsedAt} /> : "Never"}
                    </Td>
                    <Td className="hidden whitespace-nowrap text-muted sm:table-cell">
                      <RelativeTime at={token.createdAt} />
                    </Td>
                    <Td className="text-right">
                      <Button
                        size="sm"
                        variant="dangerGhost"
                        aria-label={`Revoke ${token.name}`}
                        onClick={() => setLeaving(token)}
                      >
                        Revoke
                      </Button>
                    </Td>
                  </Tr>
                ))}
              </TableBody>
            </Table>
          )
        }
      </ReadingState>
      <CreateTokenDialog
        key={String(isCreating)}
        open={isCreating}
        onOpenChange={setCreating}
        onCreated={tokens.reload}
      />
      <ConfirmDialog
        open={leaving !== undefined}
        onOpenChange={() => setLeaving(undefined)}
        title={`Revoke token ${leaving?.name ?? ""}?`}
        confirmLabel="Revoke token"
        onConfirm={async () => {
          if (!leaving) return;
          await apiRequest("DELETE", `/api/tokens/${leaving.id}`);
          tokens.reload();
          notify(`Token ${leaving.name} revoked.`);
        }}
      >
        Programs that use it are refused from now on. This can't be undone.
      </ConfirmDialog>
    </Card>
  );
}
