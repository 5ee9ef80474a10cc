import { cx } from "./cx";
import { fillTone, type Tone } from "./tone";

interface StatusDotProps {
  tone: Tone;
  /** Something is under way. */
  moving?: boolean;
  /** Not known: an empty ring. */
  hollow?: boolean;
}

/** The dot before a status word; the word says the same, so it is hidden from screen readers. */
export function StatusDot({ tone, moving = false, hollow = false }: StatusDotProps) {
  return (
    <span
      aria-hidden
      className={cx(
        "inline-block size-2 shrink-0 rounded-full",
        hollow ? "border-[1.5px] border-control" : fillTone[tone],
        moving && "animate-pulse-dot",
      )}
    />
  );
}
