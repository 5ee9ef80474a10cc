import { cx } from "./cx";

export type ButtonVariant = "primary" | "secondary" | "ghost" | "danger" | "dangerGhost";
export type ButtonSize = "sm" | "md" | "icon" | "iconSm";

const variants: Record<ButtonVariant, string> = {
  primary: "bg-accent text-on-accent not-aria-disabled:hover:bg-accent-hover",
  secondary: "border border-line-strong bg-surface text-ink not-aria-disabled:hover:bg-raised",
  ghost: "text-muted not-aria-disabled:hover:bg-raised not-aria-disabled:hover:text-ink",
  danger: "bg-bad-fill text-white not-aria-disabled:hover:bg-bad-fill-hover",
  dangerGhost: "text-bad-ink not-aria-disabled:hover:bg-bad-soft",
};

const sizes: Record<ButtonSize, string> = {
  sm: "h-7 gap-1.5 px-2 text-sm",
  md: "h-8 gap-2 px-3 text-sm",
  icon: "size-8 justify-center",
  iconSm: "size-7 justify-center",
};

/** The look of a button, for what is a button and for links that look like one. */
export function buttonClass(variant: ButtonVariant, size: ButtonSize, className?: string): string {
  return cx(
    "inline-flex shrink-0 select-none items-center justify-center whitespace-nowrap rounded-md font-medium transition-colors duration-100",
    "[&_svg]:size-4 [&_svg]:shrink-0 aria-disabled:cursor-not-allowed aria-disabled:opacity-55",
    variants[variant],
    sizes[size],
    className,
  );
}
