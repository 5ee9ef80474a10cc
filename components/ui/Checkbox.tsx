"use client";

import { type ComponentProps, type ReactNode, useId } from "react";
import { cx } from "./cx";

interface CheckboxProps extends Omit<ComponentProps<"input">, "type"> {
  /** The label beside it; without one, give `aria-label`. */
  label?: ReactNode;
  /** Some, not all, of what it stands for is chosen. */
  indeterminate?: boolean;
}

export function Checkbox({ label, indeterminate = false, className, id, ...rest }: CheckboxProps) {
  const ownId = useId();
  const inputId = id ?? ownId;
  const box = (
    <input
      {...rest}
      id={inputId}
      type="checkbox"
      ref={(element) => {
        if (element) element.indeterminate = indeterminate;
      }}
      className={cx("size-4 shrink-0 cursor-pointer accent-accent", label === undefined && className)}
    />
  );
  if (label === undefined) return box;
  return (
    <label htmlFor={inputId} className={cx("flex items-start gap-2 text-sm", className)}>
      <span className="flex h-5 items-center">{box}</span>
      <span className="min-w-0">{label}</span>
    </label>
  );
}
