import type { ReactNode } from "react";
import { cx } from "./cx";
import { softTone, type Tone } from "./tone";

/** A small word in a tinted box. */
export function Badge({ tone = "neutral", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span
      className={cx(
        "inline-flex h-5 items-center whitespace-nowrap rounded-sm px-1.5 font-medium text-xs",
        softTone[tone],
      )}
    >
      {children}
    </span>
  );
}
