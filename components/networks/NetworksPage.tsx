"use client";

import { Network as NetworkIcon, Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { useNetworks } from "../data/hooks";
import { ReadingState } from "../data/ReadingState";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import { EmptyState } from "../ui/EmptyState";
import { PageHeader } from "../ui/PageHeader";
import { TextLink } from "../ui/TextLink";
import { NetworkTable } from "./NetworkTable";
import { NetworkTabs } from "./NetworkTabs";
import { PendingBanner } from "./PendingBanner";

const NetworkDialog = dynamic(() => import("./NetworkDialog").then((module) => module.NetworkDialog));

/** What VMs are plugged into. */
export function NetworksPage() {
  const networks = useNetworks();
  const [isCreating, setCreating] = useState(false);
  const createButton = (
    <Button variant="primary" icon={<Plus aria-hidden />} onClick={() => setCreating(true)}>
      Create network
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Networks"
        description={
          <>
            Ranges of addresses that VMs are plugged into. In a network, VMs reach each other by name.{" "}
            <TextLink href="/docs/networks">Guide</TextLink>
          </>
        }
        actions={createButton}
      />
      <NetworkTabs />
      <PendingBanner className="mb-4" />
      <Card flush>
        <ReadingState reading={networks} what="networks">
          {(list) =>
            list.length > 0 ? (
              <NetworkTable networks={list} />
            ) : (
              <EmptyState icon={<NetworkIcon aria-hidden />} title="No networks yet" action={createButton}>
                The first one, default, is made when the host reports for the first time.
              </EmptyState>
            )
          }
        </ReadingState>
      </Card>
      {isCreating && networks.data ? (
        <NetworkDialog networks={networks.data} onClose={() => setCreating(false)} />
      ) : null}
    </>
  );
}
