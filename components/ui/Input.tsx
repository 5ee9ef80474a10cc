import type { ComponentProps } from "react";
import { cx } from "./cx";
import { inputClass } from "./inputClass";

interface InputProps extends ComponentProps<"input"> {
  /** Monospace, for ids, addresses and code. */
  mono?: boolean;
}

export function Input({ mono = false, className, type = "text", ...rest }: InputProps) {
  return <input {...rest} type={type} className={cx(inputClass, "h-8 px-2.5", mono && "font-mono", className)} />;
}
