"use client";

import { formatAgo, formatExact } from "../../lib/browser/time";
import { useNowText } from "./useNowText";

/** "3 min ago", kept true by one shared timer; the exact time on hover. */
export function RelativeTime({ at, className }: { at: string; className?: string }) {
  const text = useNowText((nowMs) => formatAgo(nowMs - Date.parse(at)));
  return (
    <time dateTime={at} title={formatExact(at)} className={className} suppressHydrationWarning>
      {text}
    </time>
  );
}
