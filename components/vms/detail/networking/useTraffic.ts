"use client";

import { useEffect, useState } from "react";
import type { VmTraffic } from "../../../../lib/domain/vmNetworking";
import { useConnection } from "../../../data/connection";

/**
 * What a VM's interfaces carry, told by the server every second while the page is in sight. Null before the first event, and when none come.
 * @param isWanted whether there is anything to be told
 */
export function useTraffic(vmId: number, isWanted: boolean): VmTraffic | null {
  const [traffic, setTraffic] = useState<VmTraffic | null>(null);
  const isLive = useConnection() === "live";
  useEffect(() => {
    if (!isWanted || !isLive) return;
    let source: EventSource | undefined;
    const close = () => {
      source?.close();
      source = undefined;
      setTraffic(null);
    };
    const open = () => {
      source = new EventSource(`/api/vms/${vmId}/traffic`);
      source.addEventListener("traffic", ({ data }) => setTraffic(JSON.parse(data) as VmTraffic));
      source.onerror = () => setTraffic(null);
    };
    const onVisibility = () => {
      if (document.visibilityState === "hidden") close();
      else if (source === undefined) open();
    };
    document.addEventListener("visibilitychange", onVisibility);
    onVisibility();
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      close();
    };
  }, [vmId, isWanted, isLive]);
  return traffic;
}
