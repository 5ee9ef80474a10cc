"use client";

import { useState } from "react";
import { apiRequest } from "../../../lib/api/client";
import { messageOf } from "../../../lib/domain/errors";
import type { Operation } from "../../../lib/domain/operation";
import { OperationLog } from "../../activity/OperationLog";
import { isUnderWay, kindWords, statusWords } from "../../activity/operationWords";
import { Button } from "../../ui/Button";
import { ElapsedTime } from "../../ui/ElapsedTime";
import { RelativeTime } from "../../ui/RelativeTime";
import { StatusDot } from "../../ui/StatusDot";
import { TextLink } from "../../ui/TextLink";
import { TaskProgress } from "./TaskProgress";

interface TaskRowProps {
  operation: Operation;
  /** Shows the log from the start: where it is what one came for. */
  opensLog?: boolean;
}

/** One piece of long work: how far it is, what it said, and the way to end it. */
export function TaskRow({ operation, opensLog = false }: TaskRowProps) {
  const [isLogOpen, setLogOpen] = useState(opensLog);
  const { kind, subject, status, error, message, createdAt, finishedAt, result } = operation;
  const isOpen = isUnderWay(operation);
  const { label, tone, moving } = statusWords[status];
  const imageId = typeof result?.imageId === "number" ? result.imageId : null;
  const name = `${kindWords[kind]}: ${subject ?? ""}`;
  return (
    <li className="flex flex-col gap-2 border-line border-b px-4 py-3 text-sm last:border-b-0">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="min-w-0 flex-1 basis-48">
          <span className="font-medium">{kindWords[kind]}</span>{" "}
          <span className="wrap-anywhere text-muted">{subject}</span>
        </span>
        <span className="inline-flex items-center gap-2 whitespace-nowrap text-muted text-xs">
          <StatusDot tone={tone} moving={moving} />
          {label} {finishedAt ? <RelativeTime at={finishedAt} /> : <ElapsedTime since={createdAt} />}
        </span>
        {imageId === null ? null : <TextLink href={`/images/${imageId}`}>To the image</TextLink>}
        <Button size="sm" variant="ghost" aria-expanded={isLogOpen} onClick={() => setLogOpen(!isLogOpen)}>
          {isLogOpen ? "Hide log" : "Log"}
        </Button>
        {isOpen ? <CancelButton operation={operation} name={name} /> : null}
      </div>
      {isOpen ? <TaskProgress operation={operation} /> : null}
      {error ? <p className="wrap-anywhere text-bad-ink">{error}</p> : null}
      {!isOpen && !error && message ? <p className="wrap-anywhere text-muted">{message}</p> : null}
      {isLogOpen ? <OperationLog operation={operation} /> : null}
    </li>
  );
}

interface CancelButtonProps {
  operation: Operation;
  /** What is cancelled: "Import: web-1". */
  name: string;
  size?: "sm" | "md";
}

export function CancelButton({ operation, name, size = "sm" }: CancelButtonProps) {
  const [isAsked, setAsked] = useState(false);
  const [error, setError] = useState<string>();
  const cancel = () => {
    setAsked(true);
    setError(undefined);
    apiRequest("POST", `/api/operations/${operation.id}/cancel`).catch((thrown: unknown) => {
      setAsked(false);
      setError(messageOf(thrown));
    });
  };
  return (
    <>
      {error ? (
        <span role="alert" className="text-bad-ink text-xs">
          {error}
        </span>
      ) : null}
      <Button size={size} loading={isAsked} aria-label={`Cancel ${name}`} onClick={cancel}>
        Cancel
      </Button>
    </>
  );
}
