"use client";

import { Plus } from "lucide-react";
import { useRouter } from "next/navigation";
import { type FormEvent, type ReactNode, useState } from "react";
import { useSWRConfig } from "swr";
import { apiRequest } from "../../../lib/api/client";
import type { Firewall, WriteFirewall } from "../../../lib/domain/firewall";
import { keys } from "../../data/keys";
import { useSubmit } from "../../data/useSubmit";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { ButtonLink } from "../../ui/ButtonLink";
import { Card } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { Input } from "../../ui/Input";
import { LeaveGuard } from "../../ui/LeaveGuard";
import { notify } from "../../ui/notify";
import { ChangedMeanwhile } from "./ChangedMeanwhile";
import {
  draftOf,
  type FirewallDraft,
  firewallProblems,
  firewallRequestOf,
  isSameDraft,
  newRule,
  wholeRulesOf,
} from "./firewallDraft";
import { PresetButtons } from "./PresetButtons";
import { RuleFields } from "./RuleFields";
import { RuleSummary } from "./RuleSummary";
import { useFirewallNames } from "./useFirewallNames";

interface FirewallEditorProps {
  /** The one to change; undefined for a new one. */
  saved: Firewall | undefined;
  /** Firewalls that its rules may name. */
  others: readonly Firewall[];
  /** Beside the summary. */
  children: ReactNode;
}

const begunFrom = (firewall: Firewall | undefined): FirewallDraft =>
  firewall ? draftOf(firewall) : { name: "", rules: [] };

/** @param base what the draft began as; refused when that is not what is there any more */
function write(base: Firewall | undefined, body: WriteFirewall): Promise<Firewall> {
  if (base === undefined) return apiRequest("POST", keys.firewalls, body);
  const headers = { "if-match": `"${base.version}"` };
  return apiRequest("PUT", `${keys.firewalls}/${base.id}`, body, { headers });
}

export function FirewallEditor({ saved, others, children }: FirewallEditorProps) {
  const router = useRouter();
  const { mutate } = useSWRConfig();
  const nameOf = useFirewallNames();
  /** What the draft began as. */
  const [base, setBase] = useState(saved);
  const [draft, setDraft] = useState<FirewallDraft>(begunFrom(saved));
  const [wasSent, setSent] = useState(false);
  const own = firewallProblems(draft);
  const server = useSubmit("name");
  const problems = { ...(wasSent ? own : {}), ...server.fields };
  const isChanged = !isSameDraft(draft, begunFrom(base));
  const isOutdated = saved !== undefined && saved.version !== base?.version && !server.isPending;
  const load = () => {
    setBase(saved);
    setDraft(begunFrom(saved));
  };
  // Nothing is lost.
  if (isOutdated && !isChanged) load();
  const change = (changes: Partial<FirewallDraft>) => {
    setDraft((before) => ({ ...before, ...changes }));
    server.reset();
  };
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setSent(true);
    if (Object.keys(own).length > 0) return;
    await server.submit(async () => {
      const body = firewallRequestOf(draft);
      const written = await write(base, body).finally(() => mutate(keys.firewalls));
      setBase(written);
      const effect = written.pending === null ? ": in effect now" : ". The host has not put it into effect yet";
      notify(`Firewall ${draft.name} saved${written.vms.length > 0 ? effect : ""}.`);
      router.push("/networks/firewalls");
    });
  };
  const setRules = (rules: FirewallDraft["rules"]) => change({ rules });
  return (
    <form onSubmit={save} noValidate className="grid items-start gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
      <div className="grid gap-4">
        <Card title="Firewall">
          <Field label="Name" error={problems.name}>
            {(control) => (
              <Input
                {...control}
                value={draft.name}
                maxLength={60}
                autoComplete="off"
                placeholder="web servers"
                onChange={(event) => change({ name: event.target.value })}
              />
            )}
          </Field>
        </Card>
        <Card
          title="Rules"
          description="Each lets something through. Nothing else comes in; everything goes out, unless a rule says what may."
          actions={
            <PresetButtons
              onChoose={({ name, rules }) => change({ rules, name: draft.name.trim() === "" ? name : draft.name })}
            />
          }
        >
          <div className="flex flex-col gap-3">
            {draft.rules.map((rule, index) => (
              <RuleFields
                key={rule.key}
                rule={rule}
                number={index + 1}
                others={others}
                problemOf={(field) => problems[`rules.${index}.${field}`]}
                onChange={(changed) => setRules(draft.rules.map((one) => (one.key === rule.key ? changed : one)))}
                onRemove={() => setRules(draft.rules.filter(({ key }) => key !== rule.key))}
              />
            ))}
            <Button
              size="sm"
              icon={<Plus aria-hidden />}
              className="self-start"
              onClick={() => setRules([...draft.rules, newRule(draft.rules)])}
            >
              Add a rule
            </Button>
          </div>
        </Card>
        {isOutdated && isChanged ? (
          <ChangedMeanwhile
            onLoad={() => {
              load();
              server.reset();
            }}
            onKeep={() => {
              setBase(saved);
              server.reset();
            }}
          />
        ) : null}
        {server.error ? <Banner tone="bad">{server.error}</Banner> : null}
        {wasSent && Object.keys(own).length > 0 ? (
          <Banner tone="bad">Something is missing or wrong: it is marked above.</Banner>
        ) : null}
        <div className="flex gap-2">
          <Button
            type="submit"
            variant="primary"
            loading={server.isPending}
            disabledReason={isOutdated && isChanged ? "Somebody else has changed it: choose above." : undefined}
          >
            Save firewall
          </Button>
          <ButtonLink href="/networks/firewalls">Cancel</ButtonLink>
        </div>
      </div>
      <LeaveGuard isOn={isChanged} title="Leave this firewall unsaved?">
        What you changed here is lost.
      </LeaveGuard>
      <div className="grid gap-4 lg:sticky lg:top-16">
        <Card title="In words" description="What it does to a VM that has it.">
          <div aria-live="polite">
            <RuleSummary rules={wholeRulesOf(draft)} nameOf={nameOf} />
          </div>
        </Card>
        {children}
      </div>
    </form>
  );
}
