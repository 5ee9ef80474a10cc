"use client";

import { LoaderCircle } from "lucide-react";
import type { ComponentProps, MouseEvent, ReactNode } from "react";
import { type ButtonSize, type ButtonVariant, buttonClass } from "./buttonClass";
import { Tooltip } from "./Tooltip";

export interface ButtonProps extends Omit<ComponentProps<"button">, "disabled"> {
  variant?: ButtonVariant;
  size?: ButtonSize;
  icon?: ReactNode;
  /** Work is under way: it turns, and clicks do nothing. */
  loading?: boolean;
  /** Why it can't be used now. It stays focusable and says so on hover, focus and tap. */
  disabledReason?: string | undefined;
}

export function Button({
  variant = "secondary",
  size = "md",
  icon,
  loading = false,
  disabledReason,
  className,
  children,
  onClick,
  type = "button",
  ...rest
}: ButtonProps) {
  const isDisabled = loading || disabledReason !== undefined;
  const handleClick = (event: MouseEvent<HTMLButtonElement>) => {
    if (isDisabled) event.preventDefault();
    else onClick?.(event);
  };
  const button = (
    <button
      {...rest}
      type={type}
      aria-disabled={isDisabled || undefined}
      aria-busy={loading || undefined}
      onClick={handleClick}
      className={buttonClass(variant, size, className)}
    >
      {loading ? <LoaderCircle aria-hidden className="size-4 shrink-0 animate-spin" /> : icon}
      {children}
    </button>
  );
  if (disabledReason === undefined) return button;
  return (
    <Tooltip content={disabledReason} opensOnClick>
      {button}
    </Tooltip>
  );
}
