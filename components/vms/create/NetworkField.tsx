"use client";

import type { FieldErrors } from "../../../lib/domain/errors";
import { useHost, useNetworks } from "../../data/hooks";
import { useFirewalls } from "../../networks/useNetworkData";
import { Checkbox } from "../../ui/Checkbox";
import { Field } from "../../ui/Field";
import { Select } from "../../ui/Select";
import type { CreateForm } from "./createForm";

interface NetworkFieldProps {
  form: Pick<CreateForm, "network" | "firewalls">;
  onChange: (changes: Partial<CreateForm>) => void;
  problems: FieldErrors;
}

/** Which network it is plugged into, and behind which firewalls. */
export function NetworkField({ form, onChange, problems }: NetworkFieldProps) {
  const { data: networks = [] } = useNetworks();
  const { data: firewalls = [] } = useFirewalls();
  const driver = useHost().data?.report?.network.driver;
  const set = (id: number, isChosen: boolean) =>
    onChange({ firewalls: [...form.firewalls.filter((one) => one !== id), ...(isChosen ? [id] : [])] });
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field label="Network" error={problems.network} hint="VMs of one network reach each other by name.">
        {(control) => (
          <Select
            {...control}
            value={form.network ?? "default"}
            onChange={(event) => onChange({ network: event.target.value === "default" ? null : event.target.value })}
          >
            {networks.map(({ id, name, cidr }) => (
              <option key={id} value={name}>
                {name} ({cidr})
              </option>
            ))}
          </Select>
        )}
      </Field>
      {driver === "bridge" && firewalls.length > 0 ? (
        <fieldset>
          <legend className="mb-1 font-medium text-sm">Firewalls</legend>
          <div className="flex flex-wrap gap-x-4 gap-y-1.5">
            {firewalls.map(({ id, name }) => (
              <Checkbox
                key={id}
                label={name}
                checked={form.firewalls.includes(id)}
                onChange={(event) => set(id, event.target.checked)}
              />
            ))}
          </div>
          {problems.firewalls ? (
            <p role="alert" className="mt-1 text-bad-ink text-xs">
              {problems.firewalls}
            </p>
          ) : null}
        </fieldset>
      ) : null}
    </div>
  );
}
