import { cx } from "./cx";
import { fillTone, type Tone } from "./tone";

export interface CapacitySegment {
  label: string;
  value: number;
  tone: Tone;
  /** Not taken yet: drawn striped. */
  tentative?: boolean;
}

interface CapacityBarProps {
  /** What is measured: "Memory". */
  label: string;
  total: number;
  /** What is taken, in order; the rest is free. */
  segments: CapacitySegment[];
  /** Values as people say them. */
  format: (value: number) => string;
  /** A sentence right of the label: "3.2 GiB free of 8 GiB". */
  summary: string;
  /** Lists the segments under the bar. */
  legend?: boolean;
}

const stripes = "bg-[repeating-linear-gradient(135deg,transparent_0_3px,var(--color-surface)_3px_5px)]";

/** How much of something is taken, by what, and what is free. */
export function CapacityBar({ label, total, segments, format, summary, legend = false }: CapacityBarProps) {
  const taken = segments.reduce((sum, segment) => sum + segment.value, 0);
  const scale = Math.max(total, taken, 1);
  return (
    <div>
      <div className="mb-1.5 flex items-baseline justify-between gap-3 text-sm">
        <span className="font-medium">{label}</span>
        <span className="text-muted tabular-nums">{summary}</span>
      </div>
      <meter className="sr-only" aria-label={label} min={0} max={total} value={Math.min(taken, total)}>
        {summary}
      </meter>
      <div aria-hidden className="flex h-2 gap-px overflow-hidden rounded-full bg-raised">
        {segments.map((segment) => (
          <div
            key={segment.label}
            className={cx("h-full transition-[width] duration-150", fillTone[segment.tone])}
            style={{ width: `${(segment.value / scale) * 100}%` }}
          >
            {segment.tentative ? <div className={cx("h-full", stripes)} /> : null}
          </div>
        ))}
      </div>
      {legend ? (
        <ul className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-muted text-xs">
          {segments.map((segment) => (
            <li key={segment.label} className="flex items-center gap-1.5">
              <span aria-hidden className={cx("size-2 rounded-xs", fillTone[segment.tone])} />
              {segment.label} <span className="tabular-nums">{format(segment.value)}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}
