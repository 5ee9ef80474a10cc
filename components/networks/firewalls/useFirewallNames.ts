"use client";

import { useFirewalls } from "../useNetworkData";

/** The names of firewalls by id, for rules that name them. */
export function useFirewallNames(): (id: number) => string {
  const { data = [] } = useFirewalls();
  return (id) => data.find((firewall) => firewall.id === id)?.name ?? `firewall ${id}`;
}
