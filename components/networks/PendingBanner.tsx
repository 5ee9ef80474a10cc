"use client";

import { Banner } from "../ui/Banner";
import { InlineCode } from "../ui/InlineCode";
import { useNetworksPending } from "./useNetworksPending";

/** Tells that firewalls, forwards, limits or networks are not in effect as they are shown. */
export function PendingBanner({ className }: { className?: string }) {
  const pending = useNetworksPending();
  if (pending === null) return null;
  return (
    <Banner tone="warn" title="Not all of this is in effect" className={className}>
      <InlineCode text={pending} />
    </Banner>
  );
}
