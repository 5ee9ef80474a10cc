"use client";

import type { FieldErrors } from "../../../lib/domain/errors";
import { useHost } from "../../data/hooks";
import { NetworkSelect } from "../../networks/NetworkSelect";
import { useFirewalls } from "../../networks/useNetworkData";
import { Checkbox } from "../../ui/Checkbox";
import { Field } from "../../ui/Field";
import { Input } from "../../ui/Input";
import type { CreateForm } from "./createForm";

interface NetworkFieldProps {
  form: Pick<CreateForm, "network" | "ipv4" | "firewalls">;
  onChange: (changes: Partial<CreateForm>) => void;
  problems: FieldErrors;
}

/** Which network it is plugged into, with which address, and behind which firewalls. */
export function NetworkField({ form, onChange, problems }: NetworkFieldProps) {
  const { data: firewalls = [] } = useFirewalls();
  const driver = useHost().data?.report?.network.driver;
  const set = (id: number, isChosen: boolean) =>
    onChange({ firewalls: [...form.firewalls.filter((one) => one !== id), ...(isChosen ? [id] : [])] });
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <NetworkSelect
        value={form.network ?? "default"}
        onChange={(network) => onChange({ network: network === "default" ? null : network })}
        problem={problems.network}
      />
      {driver === "bridge" ? (
        <Field label="Address" aside="optional" hint="The lowest free one, when you give none." error={problems.ipv4}>
          {(control) => (
            <Input
              {...control}
              mono
              autoComplete="off"
              spellCheck={false}
              value={form.ipv4}
              onChange={(event) => onChange({ ipv4: event.target.value })}
            />
          )}
        </Field>
      ) : null}
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
