const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** "just now", "12 s ago", "3 min ago", "5 h ago", "2 days ago". @param ageMs milliseconds since then; a future is "just now". */
export function formatAgo(ageMs: number): string {
  if (ageMs < 3 * second) return "just now";
  if (ageMs < minute) return `${Math.floor(ageMs / second)} s ago`;
  if (ageMs < hour) return `${Math.floor(ageMs / minute)} min ago`;
  if (ageMs < day) return `${Math.floor(ageMs / hour)} h ago`;
  const days = Math.floor(ageMs / day);
  return days === 1 ? "1 day ago" : `${days} days ago`;
}

/** "85 ms", "1.2 s", "42 s", "3 min 5 s", "2 h 10 min". */
export function formatDuration(durationMs: number): string {
  if (durationMs < second) return `${Math.max(0, Math.round(durationMs))} ms`;
  if (durationMs < 10 * second) return `${(Math.floor(durationMs / 100) / 10).toLocaleString("en")} s`;
  if (durationMs < minute) return `${Math.floor(durationMs / second)} s`;
  if (durationMs < hour) return twoParts(durationMs, minute, "min", second, "s");
  if (durationMs < day) return twoParts(durationMs, hour, "h", minute, "min");
  return twoParts(durationMs, day, "d", hour, "h");
}

function twoParts(ms: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % big) / small);
  return rest === 0 ? `${Math.floor(ms / big)} ${bigName}` : `${Math.floor(ms / big)} ${bigName} ${rest} ${smallName}`;
}

/** The time to the second, in the reader's time zone unless another is named: "22 Nov 2026, 19:03:12". @param at RFC 3339 */
export function formatExact(at: string, timeZone?: string): string {
  return new Date(at).toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZone,
  });
}
