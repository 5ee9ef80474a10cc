"use client";

import { formatBytes } from "../../lib/domain/units";
import type { Vm } from "../../lib/domain/vm";
import { useHost, useSnapshotCost } from "../data/hooks";
import { Banner } from "../ui/Banner";
import { Skeleton } from "../ui/Skeleton";
import { standstillWords } from "./snapshotWords";

/** What a snapshot would take of the host's disk, and of the guest's time, if it were taken now. */
export function SnapshotCostNote({ vm, memory }: { vm: Pick<Vm, "id" | "name" | "status">; memory: boolean }) {
  const { data: cost, error } = useSnapshotCost(vm.id);
  const host = useHost().data;
  const standstill = vm.status === "running" ? standstillWords(memory, host?.report ?? null) : null;
  if (error) return <p className="text-muted text-sm">What it will cost can't be told now. {error.detail}</p>;
  if (!cost) return <Skeleton className="h-16" />;
  return (
    <Banner tone="neutral">
      {cost.diskBytes === 0
        ? "Nothing was written since the last snapshot: this one takes no room of its own yet."
        : `Keeps ${formatBytes(cost.diskBytes)} that ${vm.name} has written; they are on the disk already. What it writes from now on comes on top.`}
      {memory
        ? ` Its memory takes about as much as the guest has in use, at most ${formatBytes(cost.memoryBytes)}.`
        : null}
      {standstill === null ? null : ` ${standstill}`}
    </Banner>
  );
}
