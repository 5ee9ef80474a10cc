"use client";

import { FileCog, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { apiRequest } from "../../../lib/api/client";
import type { UserDataTemplate } from "../../../lib/domain/userDataTemplate";
import { keys } from "../../data/keys";
import { ReadingState } from "../../data/ReadingState";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { EmptyState } from "../../ui/EmptyState";
import { IconButton } from "../../ui/IconButton";
import { notify } from "../../ui/notify";
import { RelativeTime } from "../../ui/RelativeTime";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../../ui/Table";
import { TemplateDialog } from "./TemplateDialog";
import { useTemplates } from "./useTemplates";

export function TemplateList() {
  const templates = useTemplates();
  /** `new`, or the one that is changed. */
  const [edited, setEdited] = useState<UserDataTemplate | "new">();
  const [leaving, setLeaving] = useState<UserDataTemplate>();
  const addButton = (
    <Button variant="primary" icon={<Plus aria-hidden />} onClick={() => setEdited("new")}>
      Add template
    </Button>
  );
  return (
    <Card
      flush
      title="User data templates"
      description="What new VMs do at their first boot, to choose from. A VM keeps a copy of its own."
      actions={templates.data?.length ? addButton : undefined}
    >
      <ReadingState reading={templates} what="templates">
        {(list) =>
          list.length === 0 ? (
            <EmptyState icon={<FileCog aria-hidden />} title="No templates yet" action={addButton}>
              Keep the cloud-init user data that you give to VM after VM: it is offered when one is created.
            </EmptyState>
          ) : (
            <Table label="User data templates">
              <TableHead>
                <Th>Name</Th>
                <Th className="hidden sm:table-cell">Changed</Th>
                <Th>
                  <span className="sr-only">Actions</span>
                </Th>
              </TableHead>
              <TableBody>
                {list.map((template) => (
                  <Tr key={template.id}>
                    <Td className="max-w-96">
                      <span className="wrap-anywhere font-medium">{template.name}</span>
                      <span className="block text-muted text-xs">{template.description}</span>
                    </Td>
                    <Td className="hidden whitespace-nowrap text-muted sm:table-cell">
                      <RelativeTime at={template.updatedAt} />
                    </Td>
                    <Td className="whitespace-nowrap text-right">
                      <IconButton
                        size="iconSm"
                        label={`Change ${template.name}`}
                        icon={<Pencil aria-hidden />}
                        onClick={() => setEdited(template)}
                      />
                      <IconButton
                        size="iconSm"
                        label={`Delete ${template.name}`}
                        icon={<Trash2 aria-hidden />}
                        onClick={() => setLeaving(template)}
                      />
                    </Td>
                  </Tr>
                ))}
              </TableBody>
            </Table>
          )
        }
      </ReadingState>
      {edited ? (
        <TemplateDialog
          template={edited === "new" ? undefined : edited}
          onClose={() => setEdited(undefined)}
          onSaved={templates.reload}
        />
      ) : null}
      <ConfirmDialog
        open={leaving !== undefined}
        onOpenChange={() => setLeaving(undefined)}
        title={`Delete template ${leaving?.name ?? ""}?`}
        confirmLabel="Delete template"
        onConfirm={async () => {
          if (!leaving) return;
          await apiRequest("DELETE", `${keys.userDataTemplates}/${leaving.id}`);
          templates.reload();
          notify(`Template ${leaving.name} deleted.`);
        }}
      >
        VMs that were made with it keep what they were given.
      </ConfirmDialog>
    </Card>
  );
}
