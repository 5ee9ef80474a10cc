"use client";

import { useHost } from "../../data/hooks";
import { Banner } from "../../ui/Banner";

/** Says it where this host has user-mode networks. @param what what can't be had */
export function CannotEnforce({ what }: { what: string }) {
  const { data: host } = useHost();
  const network = host?.report?.network;
  if (network?.driver !== "user") return null;
  return (
    <Banner tone="warn" title={`This host can't enforce ${what}`} className="mb-4">
      It has user-mode networks. {network.reason}
    </Banner>
  );
}
