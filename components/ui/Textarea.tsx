import type { ComponentProps } from "react";
import { cx } from "./cx";
import { inputClass } from "./inputClass";

interface TextareaProps extends ComponentProps<"textarea"> {
  /** Monospace, for keys and code. */
  mono?: boolean;
}

export function Textarea({ mono = false, className, ...rest }: TextareaProps) {
  return (
    <textarea
      {...rest}
      className={cx(inputClass, "block px-2.5 py-1.5", mono && "font-mono text-xs leading-5", className)}
    />
  );
}
