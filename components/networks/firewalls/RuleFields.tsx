"use client";

import { Trash2 } from "lucide-react";
import type { Firewall } from "../../../lib/domain/firewall";
import { Checkbox } from "../../ui/Checkbox";
import { Field } from "../../ui/Field";
import { IconButton } from "../../ui/IconButton";
import { Input } from "../../ui/Input";
import { SegmentedControl } from "../../ui/SegmentedControl";
import { Select } from "../../ui/Select";
import { hasPorts, type RuleDraft } from "./firewallDraft";

interface RuleFieldsProps {
  rule: RuleDraft;
  number: number;
  /** Firewalls that it may name. */
  others: readonly Firewall[];
  problemOf: (field: "ports" | "cidrs" | "firewalls") => string | undefined;
  onChange: (rule: RuleDraft) => void;
  onRemove: () => void;
}

const protocols: Record<RuleDraft["protocol"], string> = {
  tcp: "TCP",
  udp: "UDP",
  icmp: "ICMP (ping)",
  any: "Everything",
};

/** One thing that is let through: which way, what, and from or to whom. */
export function RuleFields({ rule, number, others, problemOf, onChange, onRemove }: RuleFieldsProps) {
  const text = (field: "ports" | "cidrs") => ({
    mono: true,
    autoComplete: "off",
    spellCheck: false,
    value: rule[field],
    onChange: (event: { target: { value: string } }) => onChange({ ...rule, [field]: event.target.value }),
  });
  const side = rule.direction === "ingress" ? "From" : "To";
  return (
    <fieldset aria-label={`Rule ${number}`} className="grid min-w-0 gap-3 rounded-lg border border-line p-3">
      <div className="flex items-center justify-between gap-2">
        <SegmentedControl
          label={`Direction of rule ${number}`}
          value={rule.direction}
          onChange={(direction) => onChange({ ...rule, direction })}
          options={[
            { value: "ingress", label: "Let in" },
            { value: "egress", label: "Let out" },
          ]}
        />
        <IconButton label={`Remove rule ${number}`} icon={<Trash2 aria-hidden />} onClick={onRemove} />
      </div>
      <div className="grid gap-3 sm:grid-cols-[10rem_minmax(0,1fr)]">
        <Field label="Protocol">
          {(control) => (
            <Select
              {...control}
              value={rule.protocol}
              onChange={(event) => onChange({ ...rule, protocol: event.target.value as RuleDraft["protocol"] })}
            >
              {Object.entries(protocols).map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
        {hasPorts(rule) ? (
          <Field label="Ports" error={problemOf("ports")}>
            {(control) => <Input {...control} {...text("ports")} placeholder="all; or 22, 8000-8100" />}
          </Field>
        ) : null}
      </div>
      <Field label={`${side} addresses`} error={problemOf("cidrs")}>
        {(control) => <Input {...control} {...text("cidrs")} placeholder="anybody; or 10.0.0.0/8, fd00::/8" />}
      </Field>
      {others.length > 0 ? (
        <fieldset>
          <legend className="mb-1 font-medium text-sm">{side} VMs with</legend>
          <div className="flex flex-wrap gap-x-4 gap-y-1.5">
            {others.map(({ id, name }) => (
              <Checkbox
                key={id}
                label={name}
                checked={rule.firewalls.includes(id)}
                onChange={(event) =>
                  onChange({
                    ...rule,
                    firewalls: [...rule.firewalls.filter((one) => one !== id), ...(event.target.checked ? [id] : [])],
                  })
                }
              />
            ))}
          </div>
        </fieldset>
      ) : null}
    </fieldset>
  );
}
