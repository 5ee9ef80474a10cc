"use client";

import type { Network } from "../../lib/domain/network";
import { Checkbox } from "../ui/Checkbox";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";
import { Select } from "../ui/Select";
import { type NetworkForm, networkFormOf } from "./networkForm";
import { outsideWords } from "./networkWords";

interface NetworkFieldsProps {
  form: NetworkForm;
  onChange: (changes: Partial<NetworkForm>) => void;
  problems: Record<string, string>;
  /** Networks besides this one. */
  others: readonly Network[];
  /** The network as it is, whose range, gateway, domain and IPv6 stay while VMs are in it; undefined for a new one. */
  present: Network | undefined;
}

type TextField = keyof { [Key in keyof NetworkForm as NetworkForm[Key] extends string ? Key : never]: true };

export function NetworkFields({ form, onChange, problems, others, present }: NetworkFieldsProps) {
  const text = (field: TextField) => ({
    value: form[field],
    autoComplete: "off",
    spellCheck: false,
    onChange: (event: { target: { value: string } }) => onChange({ [field]: event.target.value }),
  });
  const isHeld = (present?.vmCount ?? 0) > 0;
  const before = present && networkFormOf(present);
  /** What was changed before a VM came can be set back. */
  const isFixed = (field: "cidr" | "gateway" | "domain" | "ipv6") => isHeld && form[field] === before?.[field];
  const whyHeld = isHeld ? "It can't change while VMs are in the network." : "It can't change once VMs are in it.";
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label="Name"
          error={problems.name}
          hint={`Its VMs are called vm.${form.domain || `${form.name || "name"}.internal`}.`}
        >
          {(control) => (
            <Input {...control} {...text("name")} mono maxLength={63} readOnly={present?.name === "default"} />
          )}
        </Field>
        <Field label="Range" error={problems.cidr} hint={`Private addresses, /16 to /29. ${whyHeld}`}>
          {(control) => (
            <Input {...control} {...text("cidr")} mono disabled={isFixed("cidr")} placeholder="192.168.10.0/24" />
          )}
        </Field>
      </div>
      <Field label="Description" aside="optional" error={problems.description}>
        {(control) => <Input {...control} {...text("description")} maxLength={500} />}
      </Field>
      <Field label="Way out" error={problems.outside} hint={outsideWords[form.outside].meaning}>
        {(control) => (
          <Select
            {...control}
            value={form.outside}
            onChange={(event) => onChange({ outside: event.target.value as Network["outside"] })}
          >
            {Object.entries(outsideWords).map(([value, { label }]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {others.length > 0 ? (
        <Reaches form={form} onChange={onChange} others={others} problem={problems.reaches} />
      ) : null}
      <Field
        label="Name servers"
        aside="optional"
        error={problems.dnsServers}
        hint="Asked for names from elsewhere. Up to three addresses; the host's own when none is given."
      >
        {(control) => <Input {...control} {...text("dnsServers")} mono placeholder="9.9.9.9, 1.1.1.1" />}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Gateway" aside="optional" error={problems.gateway} hint={whyHeld}>
          {(control) => (
            <Input
              {...control}
              {...text("gateway")}
              mono
              disabled={isFixed("gateway")}
              placeholder="the first address"
            />
          )}
        </Field>
        <Field
          label="Domain"
          aside="optional"
          error={problems.domain}
          hint={isHeld && form.domain === "" ? "It goes with the name." : whyHeld}
        >
          {(control) => (
            <Input
              {...control}
              {...text("domain")}
              mono
              disabled={isFixed("domain")}
              placeholder={`${form.name || "name"}.internal`}
            />
          )}
        </Field>
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="First address for VMs" aside="optional" error={problems.range}>
          {(control) => <Input {...control} {...text("rangeFirst")} mono placeholder="all but the gateway's" />}
        </Field>
        <Field label="Last address for VMs" aside="optional">
          {(control) => <Input {...control} {...text("rangeLast")} mono />}
        </Field>
      </div>
      <Checkbox
        checked={form.ipv6}
        disabled={form.ipv6 && isFixed("ipv6")}
        onChange={(event) => onChange({ ipv6: event.target.checked })}
        label={
          <>
            IPv6 too
            <span className="block text-muted text-xs">
              A range of its own (fd00::/8), for traffic among VMs and with the host. It can't be switched off while VMs
              are in the network.
            </span>
          </>
        }
      />
      <Problem text={problems.ipv6} />
    </>
  );
}

function Reaches({
  form,
  onChange,
  others,
  problem,
}: Pick<NetworkFieldsProps, "form" | "onChange" | "others"> & { problem: string | undefined }) {
  const set = (id: number, isReached: boolean) =>
    onChange({ reaches: [...form.reaches.filter((one) => one !== id), ...(isReached ? [id] : [])] });
  return (
    <fieldset>
      <legend className="mb-1 font-medium text-sm">Its VMs may connect to VMs of</legend>
      <div className="flex flex-wrap gap-x-4 gap-y-1.5">
        {others.map(({ id, name }) => (
          <Checkbox
            key={id}
            checked={form.reaches.includes(id)}
            onChange={(event) => set(id, event.target.checked)}
            label={name}
          />
        ))}
      </div>
      <Problem text={problem} />
      <p className="mt-1 text-muted text-xs">With none, it is isolated. What answers them passes in any case.</p>
    </fieldset>
  );
}

/** Under a field that is not one of a label and a control. */
function Problem({ text }: { text: string | undefined }) {
  return text ? (
    <p role="alert" className="mt-1 text-bad-ink text-xs">
      {text}
    </p>
  ) : null;
}
