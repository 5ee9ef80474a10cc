import { formatDuration } from "../../lib/browser/time";
import type { Transfer } from "../../lib/domain/task";
import { formatBytes } from "../../lib/domain/units";

/** "120 MiB of 600 MiB, 12 MiB/s, 40 s left": what is known of it. */
export function transferWords({ doneBytes, totalBytes, bytesPerSecond }: Transfer): string {
  const parts = [
    totalBytes === null ? formatBytes(doneBytes) : `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`,
  ];
  if (bytesPerSecond !== null && bytesPerSecond >= 1) {
    parts.push(`${formatBytes(Math.round(bytesPerSecond))}/s`);
    const leftBytes = totalBytes === null ? 0 : totalBytes - doneBytes;
    if (leftBytes > 0) parts.push(`${formatDuration(Math.ceil(leftBytes / bytesPerSecond) * 1000)} left`);
  }
  return parts.join(", ");
}
