"use client";

import { Check, Circle, CircleDashed, LoaderCircle, X } from "lucide-react";
import type { ReactNode } from "react";
import { formatDuration, formatExact } from "../../../../lib/browser/time";
import type { TimelineEntry } from "../../../../lib/domain/timeline";
import type { Vm } from "../../../../lib/domain/vm";
import { Card } from "../../../ui/Card";
import { cx } from "../../../ui/cx";
import { ElapsedTime } from "../../../ui/ElapsedTime";
import { stepMeaning, stepTitle, timelineSummary } from "../../shared/vmWords";
import { FirstBootDetails } from "./FirstBootDetails";

/** The way of the present boot, from the click to "ready", as it happens. */
export function Timeline({ vm, usualMs }: { vm: Vm; usualMs: number | null }) {
  const active = vm.timeline.find((entry) => entry.state === "active");
  const origin = vm.timeline.find((entry) => entry.at !== null)?.at ?? null;
  return (
    <Card
      title="Timeline"
      actions={
        active && origin ? (
          <span className="text-muted text-sm tabular-nums">
            <ElapsedTime since={origin} />
            {usualMs === null ? null : ` · usually ready after ${formatDuration(usualMs)}`}
          </span>
        ) : (
          <span className="text-muted text-sm">
            {timelineSummary(vm.timeline)}
            {vm.status === "stopped" ? " at its last start" : null}
          </span>
        )
      }
    >
      <ol className="flex flex-col">
        {vm.timeline.map((entry, index) => (
          <Step key={entry.step} entry={entry} isLast={index === vm.timeline.length - 1}>
            {entry.step === "first-boot" ? <FirstBootDetails firstBoot={vm.firstBoot} /> : null}
          </Step>
        ))}
      </ol>
    </Card>
  );
}

interface StepProps {
  entry: TimelineEntry;
  isLast: boolean;
  /** What is to be told of it. */
  children: ReactNode;
}

function Step({ entry, isLast, children }: StepProps) {
  const { icon: Icon, look, word } = marks[entry.state];
  const isAhead = entry.state === "pending" || entry.state === "skipped";
  return (
    <li
      aria-current={entry.state === "active" ? "step" : undefined}
      className={cx("relative flex gap-3", !isLast && "pb-3")}
    >
      {isLast ? null : (
        <span
          aria-hidden
          className={cx(
            "absolute top-5 -bottom-0.5 left-[7.5px] w-px",
            entry.state === "done" ? "bg-ok" : "bg-line-strong",
          )}
        />
      )}
      <Icon aria-hidden className={cx("mt-0.5 size-4 shrink-0 bg-surface", look)} />
      <div className="min-w-0 flex-1">
        <div className="flex gap-3">
          <p
            className={cx("min-w-0 flex-1 text-sm", isAhead && "text-faint", entry.state === "active" && "font-medium")}
          >
            {stepTitle(entry)}
            <span className="sr-only"> ({word})</span>
          </p>
          {entry.at !== null && entry.sinceStartMs !== null ? (
            <time dateTime={entry.at} title={formatExact(entry.at)} className="text-muted text-sm tabular-nums">
              {entry.sinceStartMs === 0 ? "0 s" : formatDuration(entry.sinceStartMs)}
            </time>
          ) : entry.state === "skipped" ? (
            <span className="text-faint text-xs leading-5">not seen</span>
          ) : null}
        </div>
        {entry.note ? <p className="wrap-anywhere text-bad-ink text-sm">{entry.note}</p> : null}
        {entry.state === "active" ? <p className="text-muted text-xs">{stepMeaning(entry.step)}</p> : null}
        {children}
      </div>
    </li>
  );
}

const marks = {
  done: { icon: Check, look: "text-ok-ink", word: "done" },
  active: { icon: LoaderCircle, look: "animate-spin text-accent-ink", word: "under way" },
  pending: { icon: Circle, look: "text-line-strong", word: "to come" },
  failed: { icon: X, look: "text-bad-ink", word: "failed" },
  skipped: { icon: CircleDashed, look: "text-line-strong", word: "not seen" },
} as const;
