"use client";

import { FileUp, Plus, Server } from "lucide-react";
import { ButtonLink } from "../../ui/ButtonLink";
import { CodeBlock } from "../../ui/CodeBlock";
import { EmptyState } from "../../ui/EmptyState";
import { curlCommand } from "../shared/curl";
import { useOrigin } from "../shared/useOrigin";

/** The list before the first VM: what one is, why you want one, and how to get it. */
export function NoVms({ imageName }: { imageName: string }) {
  const origin = useOrigin();
  const body = { name: "first", image: imageName, size: "nano" };
  const code = curlCommand({ origin, method: "POST", path: "/api/vms", body });
  return (
    <div className="rounded-lg border border-line bg-surface">
      <EmptyState
        icon={<Server aria-hidden />}
        title="No virtual machines yet"
        action={
          <span className="flex flex-wrap justify-center gap-2">
            <ButtonLink href="/vms/new" variant="primary" icon={<Plus aria-hidden />}>
              Create a VM
            </ButtonLink>
            <ButtonLink href="/vms/import" icon={<FileUp aria-hidden />}>
              Import a VM
            </ButtonLink>
          </span>
        }
        code={
          <>
            <p className="mb-1.5 text-muted text-xs">The same from a terminal, with an API token of the settings:</p>
            <CodeBlock code={code} what="curl command" />
          </>
        }
      >
        A virtual machine is a computer of its own inside this one: its own operating system, disk, address and screen.
        Try things in it, break it, and throw it away in a second; nothing else is touched.
      </EmptyState>
    </div>
  );
}
