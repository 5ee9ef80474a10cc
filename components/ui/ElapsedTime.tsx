"use client";

import { formatDuration } from "../../lib/browser/time";
import { useNowText } from "./useNowText";

/** How long something has been going on, counting: "12 s". */
export function ElapsedTime({ since }: { since: string }) {
  const text = useNowText((nowMs) => formatDuration(Math.floor((nowMs - Date.parse(since)) / 1000) * 1000));
  return <span suppressHydrationWarning>{text}</span>;
}
