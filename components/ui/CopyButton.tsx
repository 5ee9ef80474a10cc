"use client";

import { Check, Copy, X } from "lucide-react";
import { buttonClass } from "./buttonClass";
import { cx } from "./cx";
import { Tooltip } from "./Tooltip";
import { useCopy } from "./useCopy";

interface CopyButtonProps {
  text: string;
  /** What is copied: "address", "ssh command". */
  what: string;
  className?: string;
}

/** An icon that copies a text and says so. */
export function CopyButton({ text, what, className }: CopyButtonProps) {
  const { state, copy } = useCopy(text);
  const label = { idle: `Copy ${what}`, copied: "Copied", failed: "Copying was not allowed" }[state];
  const Icon = { idle: Copy, copied: Check, failed: X }[state];
  return (
    <Tooltip content={label}>
      <button
        type="button"
        aria-label={`Copy ${what}`}
        onClick={(event) => {
          event.preventDefault();
          event.stopPropagation();
          copy();
        }}
        className={cx(
          buttonClass("ghost", "iconSm"),
          "[&_svg]:size-3.5",
          state === "copied" && "text-ok-ink",
          className,
        )}
      >
        <Icon aria-hidden />
        <span aria-live="polite" className="sr-only">
          {state === "idle" ? "" : label}
        </span>
      </button>
    </Tooltip>
  );
}
