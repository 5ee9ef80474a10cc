"use client";

import { CircleCheck, CircleX, Info, type LucideIcon, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "./Button";
import { cx } from "./cx";
import { softTone, type Tone } from "./tone";

const icons: Record<Tone, LucideIcon> = {
  neutral: Info,
  info: Info,
  ok: CircleCheck,
  warn: TriangleAlert,
  bad: CircleX,
};

interface BannerProps {
  tone?: Tone;
  title?: ReactNode;
  children?: ReactNode;
  /** Shows a Retry button. */
  onRetry?: () => void;
  /** Further buttons. */
  action?: ReactNode;
  className?: string;
}

/** Something to know, where it belongs. Errors are announced. */
export function Banner({ tone = "info", title, children, onRetry, action, className }: BannerProps) {
  const Icon = icons[tone];
  return (
    <div
      role={tone === "bad" ? "alert" : undefined}
      className={cx(
        "flex flex-wrap items-start gap-x-3 gap-y-2 rounded-lg px-3 py-2.5 text-sm",
        softTone[tone],
        className,
      )}
    >
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0 flex-1">
        {title ? <p className="font-medium">{title}</p> : null}
        {children ? <div className="wrap-anywhere">{children}</div> : null}
      </div>
      {onRetry || action ? (
        <div className="flex shrink-0 items-center gap-2">
          {onRetry ? (
            <Button size="sm" onClick={onRetry}>
              Retry
            </Button>
          ) : null}
          {action}
        </div>
      ) : null}
    </div>
  );
}
