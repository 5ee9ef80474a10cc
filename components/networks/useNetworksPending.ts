"use client";

import { useHost } from "../data/hooks";
import { useIsLong } from "../ui/useIsLong";

/** A change is not in effect while it is made: that is worth a word when it lasts. */
const lastingMs = 2_000;

/** Why networks, firewalls, forwards or limits are not in effect as they were asked for, once that lasts; null when they are. */
export function useNetworksPending(): string | null {
  const pending = useHost().data?.networksPending ?? null;
  return useIsLong(pending !== null, lastingMs) ? pending : null;
}
