"use client";

import { useState } from "react";
import { apiRequest } from "../../../../lib/api/client";
import type { Firewall } from "../../../../lib/domain/firewall";
import type { Vm } from "../../../../lib/domain/vm";
import type { VmNetworking } from "../../../../lib/domain/vmNetworking";
import { ReadingState } from "../../../data/ReadingState";
import { RuleSummary } from "../../../networks/firewalls/RuleSummary";
import { useFirewalls } from "../../../networks/useNetworkData";
import { useNetworksPending } from "../../../networks/useNetworksPending";
import { Banner } from "../../../ui/Banner";
import { Button } from "../../../ui/Button";
import { Card } from "../../../ui/Card";
import { Checkbox } from "../../../ui/Checkbox";
import { TextLink } from "../../../ui/TextLink";
import { useNetworkingChange } from "./useNetworkingChange";

/** Which firewalls a VM has, and what they let through together. */
export function VmFirewallsCard({ vm, networking }: { vm: Vm; networking: VmNetworking }) {
  const firewalls = useFirewalls();
  const isPending = useNetworksPending() !== null;
  const isInEffect = networking.driver === "bridge";
  const whenInEffect = isPending ? "Not in effect yet." : "In effect at once, also for connections that are open.";
  return (
    <Card
      title="Firewalls"
      description={isInEffect ? whenInEffect : "Not in effect: a user-mode network has no firewalls."}
    >
      <ReadingState reading={firewalls} what="firewalls">
        {(list) =>
          list.length === 0 ? (
            <p className="text-muted text-sm">
              There is none yet. <TextLink href="/networks/firewalls/new">Create one.</TextLink>
            </p>
          ) : (
            // Chosen anew when somebody else changes them meanwhile.
            <FirewallChoice
              key={networking.firewalls.join()}
              vm={vm}
              present={networking.firewalls}
              firewalls={list}
              whyNot={networking.whyNot ?? undefined}
              isInEffect={isInEffect}
            />
          )
        }
      </ReadingState>
    </Card>
  );
}

interface FirewallChoiceProps {
  vm: Vm;
  /** Ids of those that it has. */
  present: readonly number[];
  firewalls: readonly Firewall[];
  whyNot: string | undefined;
  isInEffect: boolean;
}

function FirewallChoice({ vm, present, firewalls, whyNot, isInEffect }: FirewallChoiceProps) {
  const [chosen, setChosen] = useState<readonly number[]>(present);
  const { form, change } = useNetworkingChange(vm.id);
  const isSame = chosen.length === present.length && chosen.every((id) => present.includes(id));
  const rules = firewalls.filter(({ id }) => chosen.includes(id)).flatMap((firewall) => firewall.rules);
  const nameOf = (id: number) => firewalls.find((one) => one.id === id)?.name ?? `firewall ${id}`;
  const save = () =>
    change(
      () => apiRequest("PUT", `/api/vms/${vm.id}/firewalls`, { firewalls: chosen }),
      `The firewalls of ${vm.name} are in effect.`,
    );
  return (
    <div className="flex flex-col gap-4">
      <fieldset className="flex flex-col gap-2">
        <legend className="sr-only">Firewalls of {vm.name}</legend>
        {firewalls.map(({ id, name }) => (
          <span key={id} className="flex items-center justify-between gap-3">
            <Checkbox
              label={name}
              checked={chosen.includes(id)}
              disabled={whyNot !== undefined}
              onChange={(event) =>
                setChosen([...chosen.filter((one) => one !== id), ...(event.target.checked ? [id] : [])])
              }
            />
            <TextLink href={`/networks/firewalls/${id}`} className="text-sm">
              Rules of {name}
            </TextLink>
          </span>
        ))}
      </fieldset>
      {isInEffect ? (
        <div className="rounded-lg bg-sunken p-3">
          {chosen.length > 0 ? (
            <RuleSummary rules={rules} nameOf={nameOf} />
          ) : (
            <p className="text-sm">Without a firewall, everybody may connect to the VM, and the VM anywhere.</p>
          )}
        </div>
      ) : present.length > 0 ? (
        <Banner tone="warn" title="Not in effect">
          Its firewalls keep nothing out while it has a user-mode network: what is forwarded comes in, and it reaches
          everything.
        </Banner>
      ) : null}
      {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
      <Button
        className="self-start"
        loading={form.isPending}
        disabledReason={whyNot ?? (isSame ? "Nothing is changed." : undefined)}
        onClick={() => void save()}
      >
        Save firewalls
      </Button>
    </div>
  );
}
