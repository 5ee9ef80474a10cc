"use client";

import { type ReactNode, useId } from "react";
import { cx } from "./cx";

interface SegmentedControlProps<T extends string> {
  /** Its accessible name. */
  label: string;
  value: T;
  onChange: (value: T) => void;
  options: { value: T; label: ReactNode }[];
}

/** One of a few, side by side: radio buttons underneath, so arrow keys move. */
export function SegmentedControl<T extends string>({ label, value, onChange, options }: SegmentedControlProps<T>) {
  const name = useId();
  return (
    <fieldset className="inline-flex w-fit min-w-0 max-w-full overflow-x-auto rounded-md border border-line bg-sunken p-0.5">
      <legend className="sr-only">{label}</legend>
      {options.map((option) => (
        <label
          key={option.value}
          className={cx(
            "relative flex h-6.5 items-center gap-1.5 whitespace-nowrap rounded-sm border px-2.5 text-sm transition-colors duration-100",
            "has-focus-visible:outline-2 has-focus-visible:outline-accent-ink",
            value === option.value
              ? "border-line-strong bg-surface font-medium text-ink"
              : "border-transparent text-muted hover:text-ink",
          )}
        >
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={value === option.value}
            onChange={() => onChange(option.value)}
            className="absolute inset-0 cursor-pointer appearance-none outline-none"
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  );
}
