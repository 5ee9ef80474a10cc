"use client";

import { Camera } from "lucide-react";
import type { ReactNode } from "react";
import { CodeBlock } from "../ui/CodeBlock";
import { EmptyState } from "../ui/EmptyState";
import { curlCommand } from "../vms/shared/curl";
import { useOrigin } from "../vms/shared/useOrigin";

interface NoSnapshotsProps {
  /** The VM of the curl line. */
  vmId: number | undefined;
  action: ReactNode;
}

/** The list before the first snapshot: what one is, why you want one, and how to get it. */
export function NoSnapshots({ vmId = 1, action }: NoSnapshotsProps) {
  const origin = useOrigin();
  const body = { name: "before the upgrade", memory: true };
  const code = curlCommand({ origin, method: "POST", path: `/api/vms/${vmId}/snapshots`, body });
  return (
    <EmptyState
      icon={<Camera aria-hidden />}
      title="No snapshots yet"
      action={action}
      code={
        <>
          <p className="mb-1.5 text-muted text-xs">The same from a terminal, with an API token of the settings:</p>
          <CodeBlock code={code} what="curl command" />
        </>
      }
    >
      A snapshot keeps a VM's disk, and with it its memory if you like, as it is at one instant. It costs next to
      nothing until the VM writes. Take one before you try something; come back to it, or make new VMs from it.
    </EmptyState>
  );
}
