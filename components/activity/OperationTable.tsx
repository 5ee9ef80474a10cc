"use client";

import { formatDuration } from "../../lib/browser/time";
import type { Operation } from "../../lib/domain/operation";
import { ElapsedTime } from "../ui/ElapsedTime";
import { ProgressBar } from "../ui/ProgressBar";
import { RelativeTime } from "../ui/RelativeTime";
import { StatusDot } from "../ui/StatusDot";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../ui/Table";
import { TextLink } from "../ui/TextLink";
import { isUnderWay, kindWords, operationDurationMs, statusWords } from "./operationWords";

interface OperationTableProps {
  operations: Operation[];
  /** Whether to name the VM; not on a VM's own page. */
  showVm?: boolean;
}

/** Operations with who, when, how far, what came out and how long it took. */
export function OperationTable({ operations, showVm = true }: OperationTableProps) {
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
          <OperationRow key={operation.id} operation={operation} showVm={showVm} />
        ))}
      </TableBody>
    </Table>
  );
}

function OperationRow({ operation, showVm }: { operation: Operation; showVm: boolean }) {
  const { kind, vm, actor, createdAt } = operation;
  return (
    <Tr>
      <Td className="align-top">
        <span className="font-medium">{kindWords[kind]}</span>
        {showVm && vm ? (
          <>
            {" "}
            <TextLink href={`/vms/${vm.id}`} className="whitespace-nowrap">
              {vm.name}
            </TextLink>
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
    <>
      <span className="flex items-center gap-2">
        <StatusDot tone={tone} moving={moving} />
        <span>{label}</span>
        {isUnderWay(operation) ? (
          <>
            <ProgressBar
              label={kindWords[kind]}
              value={status === "pending" || progress === 0 ? null : progress}
              className="max-w-40"
            />
            {progress > 0 ? <span className="text-muted text-xs tabular-nums">{progress} %</span> : null}
          </>
        ) : null}
      </span>
      {error || message ? (
        <span className={error ? "wrap-anywhere block text-bad-ink text-xs" : "wrap-anywhere block text-muted text-xs"}>
          {error ?? message}
        </span>
      ) : null}
    </>
  );
}

function Took({ operation }: { operation: Operation }) {
  const durationMs = operationDurationMs(operation);
  return durationMs === null ? <ElapsedTime since={operation.createdAt} /> : formatDuration(durationMs);
}
