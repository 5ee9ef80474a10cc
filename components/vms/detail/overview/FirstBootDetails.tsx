import { ChevronRight } from "lucide-react";
import { formatDuration, formatExact } from "../../../../lib/browser/time";
import type { FirstBootProblem } from "../../../../lib/domain/firstBootReport";
import type { VmFirstBoot } from "../../../../lib/domain/vm";
import { cx } from "../../../ui/cx";
import { stageWords } from "./firstBootWords";

/** The stages of a first boot with their times, and what complained or failed with its own words. */
export function FirstBootDetails({ firstBoot }: { firstBoot: VmFirstBoot }) {
  const { stages, warnings, errors } = firstBoot;
  return (
    <>
      {stages.length > 0 ? (
        <ol aria-label="Stages of the first boot" className="mt-1 flex flex-col gap-0.5 text-muted text-xs">
          {stages.map(({ stage, at, sinceStartMs }) => (
            <li key={stage} className="flex justify-between gap-3">
              <span>
                <code className="mr-2 font-mono">{stage}</code>
                {stageWords[stage]}
              </span>
              {sinceStartMs === null ? null : (
                <time dateTime={at} title={formatExact(at)} className="tabular-nums">
                  {formatDuration(sinceStartMs)}
                </time>
              )}
            </li>
          ))}
        </ol>
      ) : null}
      {errors.map((problem) => (
        <Problem key={problem.module} problem={problem} word="failed" look="text-bad-ink" />
      ))}
      {warnings.map((problem) => (
        <Problem key={problem.module} problem={problem} word="complained" look="text-warn-ink" />
      ))}
    </>
  );
}

interface ProblemProps {
  problem: FirstBootProblem;
  word: string;
  look: string;
}

function Problem({ problem: { module, lines }, word, look }: ProblemProps) {
  return (
    <details className="group mt-1">
      <summary className={cx("flex items-center gap-1 rounded-sm text-sm [&::-webkit-details-marker]:hidden", look)}>
        <ChevronRight aria-hidden className="size-3.5 transition-transform duration-100 group-open:rotate-90" />
        <span>
          <code className="font-mono text-xs">{module}</code> {word}
        </span>
      </summary>
      <pre className="wrap-anywhere mt-1 max-h-60 overflow-y-auto whitespace-pre-wrap rounded-md bg-sunken p-2 font-mono text-xs">
        {lines.length > 0 ? lines.join("\n") : "It gave no reason."}
      </pre>
    </details>
  );
}
