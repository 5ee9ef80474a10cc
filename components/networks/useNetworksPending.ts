"use client";

import { useEffect, useState } from "react";
import { useHost } from "../data/hooks";

/** A change is not in effect while it is made: that is worth a word when it lasts. */
const lastingMs = 2_000;

/** Why networks, firewalls, forwards or limits are not in effect as they were asked for, once that lasts; null when they are. */
export function useNetworksPending(): string | null {
  const pending = useHost().data?.networksPending ?? null;
  const isPending = pending !== null;
  const [isLasting, setLasting] = useState(false);
  useEffect(() => {
    if (!isPending) return;
    const timer = setTimeout(() => setLasting(true), lastingMs);
    return () => {
      clearTimeout(timer);
      setLasting(false);
    };
  }, [isPending]);
  return isLasting ? pending : null;
}
