import type { HostReport } from "../../lib/domain/host";
import { Card } from "../ui/Card";
import { Facts } from "../ui/Facts";
import { RelativeTime } from "../ui/RelativeTime";
import { guestWords } from "./hostWords";

export function HostFacts({ report }: { report: HostReport }) {
  const { versions } = report;
  return (
    <div className="grid gap-4 md:grid-cols-2">
      <Card title="Machine">
        <Facts
          items={[
            { label: "Host name", value: <code className="font-mono">{report.hostname}</code> },
            { label: "System", value: report.os },
            { label: "Kernel", value: <code className="font-mono text-xs">{report.kernel}</code> },
            { label: "Architecture", value: report.arch },
            { label: "Guests can be", value: guestWords(report) },
          ]}
        />
      </Card>
      <Card title="Agent">
        <Facts
          items={[
            { label: "Cumulus agent", value: versions.agent },
            { label: "QEMU", value: versions.qemu },
            { label: "Node.js", value: versions.node },
            {
              label: "Runs as",
              value: report.isPrivileged
                ? "root: each VM has its own user id"
                : "an ordinary user: VMs run with that user's rights",
            },
            { label: "Started", value: <RelativeTime at={report.startedAt} /> },
          ]}
        />
      </Card>
    </div>
  );
}
