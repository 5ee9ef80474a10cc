"use client";

import { useState } from "react";
import type { Snapshot } from "../../lib/domain/snapshot";
import { useOperations, useSnapshots, useVms } from "../data/hooks";
import { ReadingState } from "../data/ReadingState";
import { Button } from "../ui/Button";
import { ButtonLink } from "../ui/ButtonLink";
import { Card } from "../ui/Card";
import { EmptyState } from "../ui/EmptyState";
import { Input } from "../ui/Input";
import { PageHeader } from "../ui/PageHeader";
import { TextLink } from "../ui/TextLink";
import { NoSnapshots } from "./NoSnapshots";
import { SnapshotTable } from "./SnapshotTable";

/** The snapshots of all VMs, also of those that are destroyed. */
export function SnapshotsPage() {
  const snapshots = useSnapshots();
  const { data: vms = [] } = useVms();
  const { data: operations = [] } = useOperations();
  const [text, setText] = useState("");
  return (
    <>
      <PageHeader
        title="Snapshots"
        description={
          <>
            VMs at one instant, to come back to or to make new VMs from. They outlive their VM.{" "}
            <TextLink href="/docs/snapshots">Guide</TextLink>
          </>
        }
      />
      <div className="mb-3 w-full sm:w-64">
        <Input
          type="search"
          aria-label="Search snapshots"
          placeholder="Name, note or VM"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <Card flush>
        <ReadingState reading={snapshots} what="snapshots">
          {(all) => {
            const shown = all.filter((snapshot) => matches(snapshot, text));
            if (shown.length > 0) {
              return <SnapshotTable snapshots={shown} vms={vms} operations={operations} />;
            }
            if (all.length === 0) {
              return (
                <NoSnapshots
                  vmId={vms[0]?.id}
                  action={<ButtonLink href={vms[0] ? `/vms/${vms[0].id}/snapshots` : "/"}>To the VMs</ButtonLink>}
                />
              );
            }
            return (
              <EmptyState title="No snapshot matches" action={<Button onClick={() => setText("")}>Show all</Button>} />
            );
          }}
        </ReadingState>
      </Card>
    </>
  );
}

function matches({ name, note, vm }: Snapshot, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  return [name, note, vm.name].some((part) => part.toLowerCase().includes(wanted));
}
