"use client";

import { useNetworks } from "../data/hooks";
import { Field } from "../ui/Field";
import { Select } from "../ui/Select";

interface NetworkSelectProps {
  /** A network's name; empty: as `unchosen` says. */
  value: string;
  onChange: (name: string) => void;
  problem: string | undefined;
  /** What comes of choosing none, where that can be chosen. */
  unchosen?: string;
  disabled?: boolean;
}

/** Which network a new VM is plugged into. */
export function NetworkSelect({ value, onChange, problem, unchosen, disabled }: NetworkSelectProps) {
  const { data: networks } = useNetworks();
  // The browser would show another one as chosen, which then could not be chosen.
  const isGone = value !== "" && networks?.every(({ name }) => name !== value);
  return (
    <Field label="Network" error={problem} hint="VMs of one network reach each other by name.">
      {(control) => (
        <Select {...control} disabled={disabled} value={value} onChange={(event) => onChange(event.target.value)}>
          {unchosen === undefined ? null : <option value="">{unchosen}</option>}
          {isGone ? <option value={value}>{value}, which is gone</option> : null}
          {networks?.map(({ id, name, cidr }) => (
            <option key={id} value={name}>
              {name} ({cidr})
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}
