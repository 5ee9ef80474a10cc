"use client";

import { useEffect, useState } from "react";
import type { Firewall, FirewallPreset } from "../../lib/domain/firewall";
import type { Network, NetworkAddress, NetworkProposal } from "../../lib/domain/network";
import type { Vm } from "../../lib/domain/vm";
import type { VmNetworking } from "../../lib/domain/vmNetworking";
import { useList, useReading } from "../data/hooks";
import { keys } from "../data/keys";
import { isSettling } from "../vms/detail/networking/networkingWords";

/** One network; null reads none. */
export const useNetwork = (id: number | null) => useReading<Network>(id === null ? null : keys.network(id));

/** Addresses of a network that are not free. */
export const useNetworkAddresses = (id: number) => useList<NetworkAddress>(keys.networkAddresses(id));

/** A range for a new network; nothing is read unless one is to be made. */
export const useNetworkProposal = (isWanted: boolean) =>
  useReading<NetworkProposal>(isWanted ? keys.networkProposal : null);

/** The host's addresses, from which ports can be forwarded. */
export const useForwardAddresses = () => useList<string>(keys.forwardAddresses);

export const useFirewalls = () => useList<Firewall>(keys.firewalls);

export const useFirewallPresets = () => useList<FirewallPreset>("/api/firewall-presets");

const settlingMs = 2_000;
/** A guest that has not set up an address by then does so by hand, if ever; Refresh tells. */
const patienceMs = 60_000;

/**
 * How a VM is plugged in. While it runs and the host has yet to see an interface come or go, the host is asked again and again, for a minute from when there was
 * one more or one less of them.
 */
export function useVmNetworking({ id, status }: Pick<Vm, "id" | "status">) {
  const [againMs, setAgainMs] = useState(0);
  const reading = useReading<VmNetworking>(keys.networkingOfVm(id), undefined, againMs);
  const settling = status === "running" ? (reading.data?.interfaces.filter(isSettling) ?? []) : [];
  const awaited = settling.map((one) => one.id).join();
  useEffect(() => {
    if (awaited === "") return;
    setAgainMs(settlingMs);
    const timer = setTimeout(() => setAgainMs(0), patienceMs);
    return () => {
      clearTimeout(timer);
      setAgainMs(0);
    };
  }, [awaited]);
  return reading;
}
