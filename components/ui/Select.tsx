import { ChevronDown } from "lucide-react";
import type { ComponentProps } from "react";
import { cx } from "./cx";
import { inputClass } from "./inputClass";

/** The browser's own select (its list works everywhere, also on phones) in our clothes. Children are `<option>`s. */
export function Select({ className, ...rest }: ComponentProps<"select">) {
  return (
    <span className={cx("relative block", className)}>
      <select {...rest} className={cx(inputClass, "h-8 appearance-none pr-8 pl-2.5")} />
      <ChevronDown aria-hidden className="pointer-events-none absolute top-2 right-2 size-4 text-faint" />
    </span>
  );
}
