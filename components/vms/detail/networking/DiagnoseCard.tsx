"use client";

import { type FormEvent, useState } from "react";
import { apiRequest } from "../../../../lib/api/client";
import type { Vm } from "../../../../lib/domain/vm";
import type { DiagnosisCheck, VmInterface } from "../../../../lib/domain/vmNetworking";
import { useSubmit } from "../../../data/useSubmit";
import { Banner } from "../../../ui/Banner";
import { Button } from "../../../ui/Button";
import { Card } from "../../../ui/Card";
import { Field } from "../../../ui/Field";
import { InlineCode } from "../../../ui/InlineCode";
import { Input } from "../../../ui/Input";
import { RelativeTime } from "../../../ui/RelativeTime";
import { Select } from "../../../ui/Select";
import { StatusDot } from "../../../ui/StatusDot";
import { TextLink } from "../../../ui/TextLink";
import { checkWords, outcomeWords } from "./networkingWords";

interface Diagnosis {
  /** "port 22", and by which interface where there are several. */
  what: string;
  at: string;
  checks: DiagnosisCheck[];
}

/** Goes through what could keep the host from reaching the VM by an interface, in order, and stops at the first thing that does. */
export function DiagnoseCard({ vm, interfaces }: { vm: Vm; interfaces: readonly VmInterface[] }) {
  const [port, setPort] = useState("22");
  const [wanted, setWanted] = useState("net0");
  const [diagnosis, setDiagnosis] = useState<Diagnosis>();
  const isOneOfMany = interfaces.length > 1;
  const form = useSubmit("port", ...(isOneOfMany ? ["interface"] : []));
  const chosen = interfaces.find(({ id }) => id === wanted)?.id ?? "net0";
  const ask = async (event: FormEvent) => {
    event.preventDefault();
    await form.submit(async () => {
      const body = { port: Number(port), interface: chosen };
      const { checks } = await apiRequest<{ checks: DiagnosisCheck[] }>("POST", `/api/vms/${vm.id}/diagnose`, body);
      const what = isOneOfMany ? `port ${body.port} by ${chosen}` : `port ${body.port}`;
      setDiagnosis({ what, at: new Date().toISOString(), checks });
    });
  };
  return (
    <Card title="Why can't I reach it?" description="Checks, from the host, what lies between it and a port of the VM.">
      <form onSubmit={ask} noValidate className="flex flex-wrap items-end gap-3">
        <Field label="TCP port" error={form.fields.port} className="w-24">
          {(control) => (
            <Input {...control} inputMode="numeric" value={port} onChange={(event) => setPort(event.target.value)} />
          )}
        </Field>
        {isOneOfMany ? (
          <Field label="Interface" error={form.fields.interface} className="min-w-0 max-w-full">
            {(control) => (
              <Select {...control} value={chosen} onChange={(event) => setWanted(event.target.value)}>
                {interfaces.map(({ id, ipv4, network }) => (
                  <option key={id} value={id}>
                    {id}, {ipv4} in {network.name}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        ) : null}
        <Button type="submit" variant="primary" loading={form.isPending}>
          Why can't I reach it?
        </Button>
      </form>
      {form.error ? (
        <Banner tone="bad" className="mt-3">
          {form.error}
        </Banner>
      ) : null}
      <div aria-live="polite">{diagnosis ? <Checks diagnosis={diagnosis} /> : null}</div>
    </Card>
  );
}

function Checks({ diagnosis: { what, at, checks } }: { diagnosis: Diagnosis }) {
  const failure = checks.find(({ outcome }) => outcome === "failed");
  return (
    <>
      <ol aria-label={`Checks of ${what}`} className="mt-4 flex flex-col gap-3">
        {checks.map(({ name, outcome, message, firewalls }) => (
          <li key={name} className="flex gap-2.5 text-sm">
            <span className="flex h-5 items-center">
              <StatusDot tone={outcomeWords[outcome].tone} hollow={outcome === "unknown"} />
            </span>
            <div className="min-w-0">
              <p>
                {checkWords[name]} <span className="font-medium">{outcomeWords[outcome].word}.</span>
              </p>
              <p className="wrap-anywhere text-muted">
                <InlineCode text={message} />
              </p>
              {firewalls.map((firewall) => (
                <TextLink key={firewall.id} href={`/networks/firewalls/${firewall.id}`} className="mr-3 text-xs">
                  Open the firewall {firewall.name}
                </TextLink>
              ))}
            </div>
          </li>
        ))}
      </ol>
      {failure ? (
        <Banner tone="warn" title="What to do" className="mt-4">
          <InlineCode text={failure.fix ?? ""} />
        </Banner>
      ) : (
        <Banner tone="ok" className="mt-4">
          The host reaches {what}.
        </Banner>
      )}
      <p className="mt-2 text-faint text-xs">
        Checked <RelativeTime at={at} />.
      </p>
    </>
  );
}
