"use client";

import { useNetworks } from "../data/hooks";
import { NetworkSelect } from "./NetworkSelect";

interface RemadeNetworkFieldProps {
  /** A network's name; empty: that of the VM as it was. */
  value: string;
  onChange: (name: string) => void;
  problem: string | undefined;
  disabled?: boolean;
}

/** Which network a VM that is made of a backup or an archive is plugged into. Nothing where there is nothing to choose. */
export function RemadeNetworkField(props: RemadeNetworkFieldProps) {
  const { data: networks = [] } = useNetworks();
  if (networks.length < 2 && props.value === "") return null;
  return <NetworkSelect {...props} unchosen="The VM's own, else default" />;
}
