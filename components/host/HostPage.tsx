"use client";

import type { Host, HostReport } from "../../lib/domain/host";
import { useHost } from "../data/hooks";
import { ReadingState } from "../data/ReadingState";
import { PendingBanner } from "../networks/PendingBanner";
import { Banner } from "../ui/Banner";
import { Card } from "../ui/Card";
import { PageHeader } from "../ui/PageHeader";
import { RelativeTime } from "../ui/RelativeTime";
import { Skeleton } from "../ui/Skeleton";
import { StatusDot } from "../ui/StatusDot";
import { HostCapacity } from "./HostCapacity";
import { HostDegraded } from "./HostDegraded";
import { HostFacts } from "./HostFacts";
import { acceleratorWords, networkWords } from "./hostWords";

/** The machine that runs the VMs: what it can, what is taken, what works less well than it could. */
export function HostPage() {
  const host = useHost();
  return (
    <>
      <PageHeader
        title="Host"
        description={host.data ? <Reachability host={host.data} /> : <Skeleton className="h-5 w-60" />}
      />
      <ReadingState reading={host} what="host" skeleton={<HostSkeleton />}>
        {(data) => <HostContent host={data} />}
      </ReadingState>
    </>
  );
}

function Reachability({ host }: { host: Host }) {
  return (
    <span className="flex flex-wrap items-center gap-x-2">
      <span className="font-mono text-ink">{host.name}</span>
      <span className="flex items-center gap-1.5">
        <StatusDot tone="ok" hollow={!host.isReachable} />
        {host.isReachable ? "Reachable" : "Unreachable"}
      </span>
      {host.lastSeenAt && !host.isReachable ? (
        <span>
          last seen <RelativeTime at={host.lastSeenAt} />
        </span>
      ) : null}
    </span>
  );
}

function HostContent({ host }: { host: Host }) {
  const { report } = host;
  return (
    <div className="flex flex-col gap-4">
      {host.isReachable ? null : (
        <Banner tone="warn" title="The host's agent doesn't answer">
          VMs keep running without it, but nothing can be started, stopped or watched. Run{" "}
          <code className="font-mono">npm run up</code> on the machine to start what is missing.
        </Banner>
      )}
      {report === null ? (
        <Card>
          <p className="text-muted">The host has not reported yet. This page fills by itself when it does.</p>
        </Card>
      ) : (
        <>
          <PendingBanner />
          <HostDegraded items={report.degraded} />
          <HostCapacity host={host} report={report} />
          <div className="grid gap-4 md:grid-cols-2">
            <Acceleration report={report} />
            <Networking report={report} />
          </div>
          <HostFacts report={report} />
        </>
      )}
    </div>
  );
}

function Acceleration({ report: { accelerator } }: { report: HostReport }) {
  const { title, meaning, tone } = acceleratorWords[accelerator.kind];
  return (
    <Card title="Virtualization">
      <p className="flex items-center gap-2 font-medium">
        <StatusDot tone={tone} />
        {title}
      </p>
      <p className="mt-1 text-muted text-sm">{meaning}</p>
      <p className="mt-3 text-sm">{accelerator.reason}</p>
      <p className="mt-3 text-muted text-sm">
        Guests see the CPU <code className="font-mono text-ink text-xs">{accelerator.cpuModel}</code>.
      </p>
    </Card>
  );
}

function Networking({ report: { network } }: { report: HostReport }) {
  const { title, meaning } = networkWords[network.driver];
  return (
    <Card title="Networking">
      <p className="flex items-center gap-2 font-medium">
        <StatusDot tone="ok" />
        {title}
      </p>
      <p className="mt-1 text-muted text-sm">{meaning}</p>
      <p className="mt-3 text-sm">{network.reason}</p>
    </Card>
  );
}

function HostSkeleton() {
  return (
    <div role="status" aria-label="Reading the host" className="flex flex-col gap-4">
      <Skeleton className="h-44 rounded-lg" />
      <div className="grid gap-4 md:grid-cols-2">
        <Skeleton className="h-48 rounded-lg" />
        <Skeleton className="h-48 rounded-lg" />
      </div>
      <Skeleton className="h-64 rounded-lg" />
    </div>
  );
}
