"use client";

import { Network as NetworkIcon } from "lucide-react";
import { useRouter } from "next/navigation";
import { useEffect } from "react";
import { useNetworks } from "../../data/hooks";
import { Banner } from "../../ui/Banner";
import { ButtonLink } from "../../ui/ButtonLink";
import { EmptyState } from "../../ui/EmptyState";
import { Page } from "../../ui/Page";
import { Skeleton } from "../../ui/Skeleton";
import { PendingBanner } from "../PendingBanner";
import { useNetwork } from "../useNetworkData";
import { AddressesCard } from "./AddressesCard";
import { NetworkFacts } from "./NetworkFacts";
import { NetworkHeader } from "./NetworkHeader";

/** A network, and who has which of its addresses. @param id null for an address that names no network */
export function NetworkPage({ id }: { id: number | null }) {
  const router = useRouter();
  const { data: network, error, reload } = useNetwork(id);
  const { data: networks = [] } = useNetworks();
  const isGone = error?.status === 404;
  const wasHere = network !== undefined;
  useEffect(() => {
    if (isGone && wasHere) router.replace("/networks");
  }, [isGone, wasHere, router]);
  if (id === null || (isGone && !wasHere)) return <NoSuchNetwork />;
  return (
    <Page>
      {error && !isGone ? (
        <Banner tone="bad" title="This network could not be read" onRetry={reload} className="mb-4">
          {error.detail}
        </Banner>
      ) : null}
      {network ? (
        <>
          <NetworkHeader network={network} networks={networks} />
          <PendingBanner className="mb-4" />
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_minmax(0,2fr)]">
            <NetworkFacts network={network} networks={networks} />
            <AddressesCard network={network} />
          </div>
        </>
      ) : error ? null : (
        <div role="status" aria-label="Reading the network" className="grid gap-4">
          <Skeleton className="h-8 w-1/2" />
          <Skeleton className="h-64 w-full" />
        </div>
      )}
    </Page>
  );
}

function NoSuchNetwork() {
  return (
    <Page>
      <h1 className="sr-only">Network not found</h1>
      <EmptyState
        icon={<NetworkIcon aria-hidden />}
        title="There is no such network"
        action={<ButtonLink href="/networks">To the networks</ButtonLink>}
      >
        The address is wrong, or the network has been deleted.
      </EmptyState>
    </Page>
  );
}
