import type { Host, HostReport } from "../../lib/domain/host";
import { formatBytes } from "../../lib/domain/units";
import { CapacityBar } from "../ui/CapacityBar";
import { Card } from "../ui/Card";

/** Memory as it is promised to VMs (that decides what can be created), and the data folder's disk. */
export function HostCapacity({ host, report }: { host: Host; report: HostReport }) {
  const { memoryPromisedBytes, memoryFreeBytes } = host;
  const reservedBytes = Math.max(0, report.memoryTotalBytes - memoryPromisedBytes - memoryFreeBytes);
  const diskUsedBytes = report.diskTotalBytes - report.diskFreeBytes;
  const vms = host.vmCount === 1 ? "1 VM" : `${host.vmCount} VMs`;
  return (
    <Card title="Capacity" description={`${vms} · ${report.cpuCount} CPU cores, shared by all VMs`}>
      <div className="grid gap-6 md:grid-cols-2">
        <div>
          <CapacityBar
            label="Memory"
            total={report.memoryTotalBytes}
            segments={[
              { label: "Promised to VMs", value: memoryPromisedBytes, tone: "info" },
              { label: "Kept for the host", value: reservedBytes, tone: "neutral" },
            ]}
            format={formatBytes}
            summary={`${formatBytes(memoryFreeBytes)} left to promise of ${formatBytes(report.memoryTotalBytes)}`}
            legend
          />
          <p className="mt-2 text-muted text-xs">
            {formatBytes(report.memoryAvailableBytes)} is unused on the machine right now.
          </p>
        </div>
        <div>
          <CapacityBar
            label="Disk"
            total={report.diskTotalBytes}
            segments={[{ label: "In use", value: diskUsedBytes, tone: "info" }]}
            format={formatBytes}
            summary={`${formatBytes(report.diskFreeBytes)} free of ${formatBytes(report.diskTotalBytes)}`}
            legend
          />
          <p className="mt-2 text-muted text-xs">
            The file system of the data folder. Disks of VMs take space as they fill.
          </p>
        </div>
      </div>
    </Card>
  );
}
