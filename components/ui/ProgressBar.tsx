import { cx } from "./cx";
import { fillTone, type Tone } from "./tone";

interface ProgressBarProps {
  /** What is being done. */
  label: string;
  /** 0–100; null when it isn't known. */
  value: number | null;
  tone?: Tone;
  className?: string;
}

export function ProgressBar({ label, value, tone = "info", className }: ProgressBarProps) {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value ?? undefined}
      className={cx("h-1 w-full overflow-hidden rounded-full bg-raised", className)}
    >
      {value === null ? (
        <div className={cx("h-full w-1/3 animate-slide rounded-full", fillTone[tone])} />
      ) : (
        <div
          className={cx("h-full rounded-full transition-[width] duration-150", fillTone[tone])}
          style={{ width: `${Math.min(100, Math.max(0, value))}%` }}
        />
      )}
    </div>
  );
}
