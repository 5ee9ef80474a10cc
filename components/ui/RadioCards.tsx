"use client";

import { type ReactNode, useId } from "react";
import { cx } from "./cx";

export interface RadioCardOption<T extends string> {
  value: T;
  /** The card's inside. */
  content: ReactNode;
  /** Why it can't be chosen: shown in the card. */
  disabledReason?: string | undefined;
}

interface RadioCardsProps<T extends string> {
  /** The accessible name of the choice. */
  label: string;
  value: T | null;
  onChange: (value: T) => void;
  options: RadioCardOption<T>[];
  /** Classes of the grid: columns and gaps. */
  className?: string;
}

/** One of several cards that explain themselves: radio buttons underneath. */
export function RadioCards<T extends string>({ label, value, onChange, options, className }: RadioCardsProps<T>) {
  const name = useId();
  return (
    <fieldset>
      <legend className="sr-only">{label}</legend>
      <div className={cx("grid gap-2", className ?? "sm:grid-cols-2 lg:grid-cols-3")}>
        {options.map((option) => {
          const isDisabled = option.disabledReason !== undefined;
          const isChosen = value === option.value;
          return (
            <label
              key={option.value}
              className={cx(
                "relative block rounded-lg border bg-surface p-3 text-sm transition-colors duration-100",
                "has-focus-visible:outline-2 has-focus-visible:outline-accent-ink has-focus-visible:outline-offset-2",
                isChosen ? "border-accent bg-accent-soft/50 ring-1 ring-accent ring-inset" : "border-line-strong",
                isDisabled ? "cursor-not-allowed bg-sunken" : !isChosen && "hover:border-control",
              )}
            >
              <input
                type="radio"
                name={name}
                value={option.value}
                checked={isChosen}
                aria-disabled={isDisabled || undefined}
                onChange={() => {
                  if (!isDisabled) onChange(option.value);
                }}
                className="absolute inset-0 cursor-[inherit] appearance-none outline-none"
              />
              <span className={cx("block", isDisabled && "text-faint")}>{option.content}</span>
              {isDisabled ? <span className="mt-1.5 block text-warn-ink text-xs">{option.disabledReason}</span> : null}
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}
