"use client";

import { BrickWall } from "lucide-react";
import type { Firewall } from "../../../lib/domain/firewall";
import { ReadingState } from "../../data/ReadingState";
import { ButtonLink } from "../../ui/ButtonLink";
import { Card } from "../../ui/Card";
import { EmptyState } from "../../ui/EmptyState";
import { Page } from "../../ui/Page";
import { PageHeader } from "../../ui/PageHeader";
import { TextLink } from "../../ui/TextLink";
import { useFirewalls } from "../useNetworkData";
import { CannotEnforce } from "./CannotEnforce";
import { DeleteFirewallButton } from "./DeleteFirewallButton";
import { FirewallEditor } from "./FirewallEditor";

/** Writes a firewall, or changes one. @param id null for an address that names none */
export function FirewallPage({ id }: { id: number | "new" | null }) {
  const firewalls = useFirewalls();
  return (
    <Page>
      <ReadingState reading={firewalls} what="firewalls">
        {(list) => {
          const firewall = list.find((one) => one.id === id);
          if (firewall === undefined && id !== "new") return <NoSuchFirewall />;
          return (
            <>
              <PageHeader
                title={firewall?.name ?? "Create a firewall"}
                description="What answers something that was let through passes too."
                actions={firewall ? <DeleteFirewallButton firewall={firewall} /> : undefined}
              />
              <CannotEnforce what="firewalls" />
              <FirewallEditor
                key={firewall?.id ?? "new"}
                saved={firewall}
                others={list.filter((one) => one !== firewall)}
              >
                {firewall ? <FirewallVms firewall={firewall} /> : null}
              </FirewallEditor>
            </>
          );
        }}
      </ReadingState>
    </Page>
  );
}

function FirewallVms({ firewall: { vms } }: { firewall: Firewall }) {
  return (
    <Card title="VMs" description="Those that have it. It is given to a VM on the VM's Networking tab.">
      {vms.length === 0 ? (
        <p className="text-muted text-sm">None yet.</p>
      ) : (
        <ul className="flex flex-wrap gap-x-4 gap-y-1 text-sm">
          {vms.map(({ id, name }) => (
            <li key={id}>
              <TextLink href={`/vms/${id}/networking`}>{name}</TextLink>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function NoSuchFirewall() {
  return (
    <>
      <h1 className="sr-only">Firewall not found</h1>
      <EmptyState
        icon={<BrickWall aria-hidden />}
        title="There is no such firewall"
        action={<ButtonLink href="/networks/firewalls">To the firewalls</ButtonLink>}
      >
        The address is wrong, or the firewall has been deleted.
      </EmptyState>
    </>
  );
}
