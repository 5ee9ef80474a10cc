"use client";

import type { Operation } from "../../lib/domain/operation";
import type { Snapshot } from "../../lib/domain/snapshot";
import { formatBytes } from "../../lib/domain/units";
import type { Vm } from "../../lib/domain/vm";
import { Badge } from "../ui/Badge";
import { ClampedText } from "../ui/ClampedText";
import { RelativeTime } from "../ui/RelativeTime";
import { Td, Tr } from "../ui/Table";
import { TextLink } from "../ui/TextLink";
import { Tooltip } from "../ui/Tooltip";
import { SnapshotActs } from "./SnapshotActs";
import { SnapshotNode } from "./SnapshotNode";
import { SnapshotProgress } from "./SnapshotProgress";
import type { Branch } from "./snapshotTree";
import { consistencyOf, foldedWords, originWords, pauseWords, totalBytes } from "./snapshotWords";
import { VmsMadeFrom } from "./VmsMadeFrom";

interface SnapshotRowProps {
  snapshot: Snapshot;
  /** Where it stands in the tree. */
  branch: Branch;
  /** Its VM, when that is live and known. */
  vm: Vm | undefined;
  /** What is being done with it. */
  operation: Operation | undefined;
  showVm: boolean;
}

export function SnapshotRow({ snapshot, branch, vm, operation, showVm }: SnapshotRowProps) {
  const consistency = consistencyOf(snapshot);
  const bytes = totalBytes(snapshot);
  const folded = foldedWords(snapshot);
  const size = bytes === null ? "–" : formatBytes(bytes);
  return (
    <Tr>
      <SnapshotNode branch={branch}>
        <SnapshotTitle snapshot={snapshot} branch={branch} tellsCurrent={showVm} />
        <VmsMadeFrom snapshot={snapshot} />
        {snapshot.note ? <ClampedText text={snapshot.note} className="max-w-prose text-muted text-xs" /> : null}
        <p className="text-muted text-xs md:hidden">
          <span className="sm:hidden">
            {showVm ? (
              <>
                <VmLink vm={snapshot.vm} /> ·{" "}
              </>
            ) : null}
            {size} ·{" "}
          </span>
          <RelativeTime at={snapshot.createdAt} />
          {snapshot.pauseMs ? ` · paused for ${pauseWords(snapshot)}` : null}
        </p>
        {consistency ? <p className="text-muted text-xs lg:hidden">{consistency.label}</p> : null}
        {operation ? <SnapshotProgress operation={operation} snapshot={snapshot} /> : null}
      </SnapshotNode>
      {showVm ? (
        <Td className="hidden whitespace-nowrap sm:table-cell">
          <VmLink vm={snapshot.vm} />
        </Td>
      ) : null}
      <Td className="hidden whitespace-nowrap text-muted lg:table-cell">
        {consistency ? (
          <Tooltip content={consistency.meaning}>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what it means is told on focus, too */}
            <span tabIndex={0}>{consistency.label}</span>
          </Tooltip>
        ) : (
          "–"
        )}
      </Td>
      <Td className="hidden whitespace-nowrap text-right text-muted tabular-nums md:table-cell">
        {pauseWords(snapshot) ?? "–"}
      </Td>
      <Td className="hidden whitespace-nowrap text-right text-muted tabular-nums sm:table-cell">
        {folded ? (
          <Tooltip content={folded}>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what comes on top is told on focus, too */}
            <span tabIndex={0}>{size} +</span>
          </Tooltip>
        ) : (
          size
        )}
      </Td>
      <Td className="hidden whitespace-nowrap text-muted md:table-cell">
        <RelativeTime at={snapshot.createdAt} />
      </Td>
      <Td className="text-right">
        <SnapshotActs snapshot={snapshot} vm={vm} isBusy={operation !== undefined} />
      </Td>
    </Tr>
  );
}

function VmLink({ vm }: Pick<Snapshot, "vm">) {
  if (vm.deleted) return <span className="text-muted">{vm.name} (destroyed)</span>;
  return <TextLink href={`/vms/${vm.id}/snapshots`}>{vm.name}</TextLink>;
}

interface SnapshotTitleProps {
  snapshot: Snapshot;
  branch: Branch;
  /** Whether to say that its VM is here; not where that has a row of its own. */
  tellsCurrent: boolean;
}

function SnapshotTitle({ snapshot, branch: { parent, joins }, tellsCurrent }: SnapshotTitleProps) {
  const origin = originWords(snapshot);
  return (
    <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <span className="wrap-anywhere font-medium">{snapshot.name}</span>
      {parent ? (
        <span className="sr-only">
          , {joins === "left" ? "branches off" : "follows"} {parent.name}
        </span>
      ) : null}
      {tellsCurrent && snapshot.isCurrent ? <Badge>The VM is here</Badge> : null}
      {snapshot.hasMemory ? <Badge tone="info">Memory</Badge> : null}
      {origin ? <Badge>{origin}</Badge> : null}
    </div>
  );
}
