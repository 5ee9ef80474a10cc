"use client";

import type { ReactNode } from "react";
import { Button, type ButtonProps } from "./Button";
import { Tooltip } from "./Tooltip";

interface IconButtonProps extends Omit<ButtonProps, "children" | "icon" | "size"> {
  /** Its accessible name, and the text on hover. */
  label: string;
  icon: ReactNode;
  size?: "icon" | "iconSm";
}

export function IconButton({
  label,
  icon,
  size = "icon",
  variant = "ghost",
  disabledReason,
  ...rest
}: IconButtonProps) {
  const button = (
    <Button
      {...rest}
      size={size}
      variant={variant}
      aria-label={label}
      icon={icon}
      disabledReason={disabledReason && `${label}: ${disabledReason}`}
    />
  );
  return disabledReason === undefined ? <Tooltip content={label}>{button}</Tooltip> : button;
}
