import { formatBytes } from "../../../../lib/domain/units";
import type { Vm } from "../../../../lib/domain/vm";
import { Card } from "../../../ui/Card";
import { CopyText } from "../../../ui/CopyText";
import { Facts } from "../../../ui/Facts";
import { RelativeTime } from "../../../ui/RelativeTime";
import { MadeFrom } from "./MadeFrom";

export function FactsCard({ vm }: { vm: Vm }) {
  const { size } = vm;
  return (
    <Card title="Facts">
      <Facts
        items={[
          { label: "Image", value: vm.image.title },
          ...(vm.madeFrom ? [{ label: "Made from", value: <MadeFrom {...vm.madeFrom} /> }] : []),
          { label: "Processor", value: vm.isEmulated ? `${vm.arch}, emulated in software: slow` : vm.arch },
          { label: "Firmware", value: vm.firmware.toUpperCase() },
          { label: "CD-ROM", value: vm.cdrom?.title ?? "empty" },
          { label: "Size", value: size.name ?? "custom" },
          { label: "vCPUs", value: size.vcpus },
          { label: "Memory", value: formatBytes(size.memoryBytes) },
          { label: "Disk", value: formatBytes(size.diskBytes) },
          { label: "Host", value: vm.host.name },
          { label: "Network", value: vm.network.name },
          { label: "Address", value: <CopyText text={vm.ipv4} what="address" /> },
          { label: "MAC", value: <CopyText text={vm.mac} what="MAC address" /> },
          { label: "Id", value: <CopyText text={String(vm.id)} what="id" /> },
          { label: "Created", value: <RelativeTime at={vm.createdAt} /> },
          { label: "Observed", value: vm.observedAt ? <RelativeTime at={vm.observedAt} /> : "not yet" },
        ]}
      />
    </Card>
  );
}
