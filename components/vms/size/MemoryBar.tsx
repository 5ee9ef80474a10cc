import type { Host } from "../../../lib/domain/host";
import { formatBytes } from "../../../lib/domain/units";
import { CapacityBar } from "../../ui/CapacityBar";

interface MemoryBarProps {
  host: Host;
  /** What this choice would take; null while nothing is chosen. */
  wantedBytes: number | null;
}

/** The host's memory, with what this choice would take of it. */
export function MemoryBar({ host, wantedBytes }: MemoryBarProps) {
  const totalBytes = host.memoryPromisedBytes + Math.max(0, host.memoryFreeBytes);
  const leftBytes = host.memoryFreeBytes - (wantedBytes ?? 0);
  const left =
    leftBytes < 0
      ? `${formatBytes(-leftBytes)} more than there is`
      : `${formatBytes(leftBytes)} of ${formatBytes(totalBytes)} ${wantedBytes === null ? "free" : "left"}`;
  return (
    <CapacityBar
      label={`Memory of ${host.name}`}
      total={totalBytes}
      summary={left}
      format={formatBytes}
      legend
      segments={[
        { label: "Other VMs", value: host.memoryPromisedBytes, tone: "neutral" },
        { label: "This VM", value: wantedBytes ?? 0, tone: leftBytes < 0 ? "bad" : "info", tentative: true },
      ]}
    />
  );
}
