"use client";

import { useNetworks } from "../data/hooks";
import { NetworkSelect } from "./NetworkSelect";

interface NewNetworkFieldProps {
  /** A network's name; empty where none need be chosen: as `unchosen` says. */
  value: string;
  onChange: (name: string) => void;
  problem: string | undefined;
  unchosen?: string;
  disabled?: boolean;
}

/** Which network a VM that is made of a backup or an archive is plugged into. Nothing where there is nothing to choose. */
export function NewNetworkField(props: NewNetworkFieldProps) {
  const { data: networks } = useNetworks();
  const [only, ...others] = networks ?? [];
  if (others.length === 0 && (only === undefined || ["", only.name].includes(props.value))) return null;
  return <NetworkSelect {...props} />;
}
