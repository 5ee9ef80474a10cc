"use client";

import { formatDuration } from "../../lib/browser/time";
import type { Operation } from "../../lib/domain/operation";
import { useVms } from "../data/hooks";
import { cx } from "../ui/cx";
import { ElapsedTime } from "../ui/ElapsedTime";
import { ProgressBar } from "../ui/ProgressBar";
import { RelativeTime } from "../ui/RelativeTime";
import { StatusDot } from "../ui/StatusDot";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../ui/Table";
import { TextLink } from "../ui/TextLink";
import { isUnderWay, kindWords, operationDurationMs, statusWords, subjectBesideVm } from "./operationWords";

interface OperationTableProps {
  operations: Operation[];
  /** Whether to name the VM; not on a VM's own page. */
  showVm?: boolean;
}

/** Operations with who, when, how far, what came out and how long it took. */
export function OperationTable({ operations, showVm = true }: OperationTableProps) {
  const { data: vms } = useVms();
  const liveIds = new Set(vms?.map(({ id }) => id));
  return (
    <Table label="Operations">
      <TableHead>
        <Th>Operation</Th>
        <Th>Status</Th>
        <Th className="hidden md:table-cell">By</Th>
        <Th className="hidden sm:table-cell">Asked</Th>
        <Th className="hidden text-right sm:table-cell">Took</Th>
      </TableHead>
      <TableBody>
        {operations.map((operation) => (
          <OperationRow
            key={operation.id}
            operation={operation}
            showVm={showVm}
            isVmLive={operation.vm !== null && liveIds.has(operation.vm.id)}
          />
        ))}
      </TableBody>
    </Table>
  );
}

interface OperationRowProps {
  operation: Operation;
  showVm: boolean;
  /** A destroyed VM has no page to link to. */
  isVmLive: boolean;
}

function OperationRow({ operation, showVm, isVmLive }: OperationRowProps) {
  const { kind, vm, actor, createdAt } = operation;
  const subject = subjectBesideVm(operation);
  return (
    <Tr>
      <Td className="align-top">
        <span className="font-medium">{kindWords[kind]}</span>
        {subject ? <span className="wrap-anywhere"> {subject}</span> : null}
        {showVm && vm ? (
          <>
            {" "}
            {isVmLive ? (
              <TextLink href={`/vms/${vm.id}`} className="whitespace-nowrap">
                {vm.name}
              </TextLink>
            ) : (
              <span className="whitespace-nowrap text-muted">{vm.name}</span>
            )}
          </>
        ) : null}
        <span className="block text-muted text-xs sm:hidden">
          <RelativeTime at={createdAt} /> by {actor}
        </span>
      </Td>
      <Td className="w-1/2 align-top">
        <Outcome operation={operation} />
      </Td>
      <Td className="hidden whitespace-nowrap align-top text-muted md:table-cell">{actor}</Td>
      <Td className="hidden whitespace-nowrap align-top text-muted sm:table-cell">
        <RelativeTime at={createdAt} />
      </Td>
      <Td className="hidden whitespace-nowrap text-right align-top text-muted tabular-nums sm:table-cell">
        <Took operation={operation} />
      </Td>
    </Tr>
  );
}

function Outcome({ operation }: { operation: Operation }) {
  const { status, progress, message, error, kind } = operation;
  const { label, tone, moving } = statusWords[status];
  return (
    <div className="flex flex-wrap items-baseline gap-x-3">
      <span className="inline-flex items-center gap-2 md:w-24">
        <StatusDot tone={tone} moving={moving} />
        {label}
      </span>
      {isUnderWay(operation) ? (
        <span className="inline-flex w-40 items-center gap-2 self-center">
          <ProgressBar label={kindWords[kind]} value={progress === 0 ? null : progress} />
          {progress > 0 ? (
            <span className="whitespace-nowrap text-muted text-xs tabular-nums">{progress} %</span>
          ) : null}
        </span>
      ) : null}
      {error || message ? (
        <span
          className={cx("wrap-anywhere min-w-0 text-xs md:flex-1 md:text-sm", error ? "text-bad-ink" : "text-muted")}
        >
          {error ?? message}
        </span>
      ) : null}
    </div>
  );
}

function Took({ operation }: { operation: Operation }) {
  const durationMs = operationDurationMs(operation);
  return durationMs === null ? <ElapsedTime since={operation.createdAt} /> : formatDuration(durationMs);
}
