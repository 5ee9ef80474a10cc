"use client";

import type { Operation } from "../../../lib/domain/operation";
import { kindWords } from "../../activity/operationWords";
import { transferWords } from "../../activity/transferWords";
import { ProgressBar } from "../../ui/ProgressBar";

/** How far long work is: a bar, what it does, and bytes where it moves some. */
export function TaskProgress({ operation }: { operation: Operation }) {
  const { kind, subject, progress, message, transfer } = operation;
  return (
    <div>
      <ProgressBar label={`${kindWords[kind]} ${subject ?? ""}`} value={progress === 0 ? null : progress} />
      <p className="mt-1.5 flex flex-wrap justify-between gap-x-3 text-muted text-xs tabular-nums">
        <span className="wrap-anywhere min-w-0">{message ?? "Waits for the host"}</span>
        <span className="whitespace-nowrap">
          {transfer ? `${transferWords(transfer)} · ` : null}
          {progress} %
        </span>
      </p>
    </div>
  );
}
