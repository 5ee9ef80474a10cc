"use client";

import { BrickWall, Plus } from "lucide-react";
import type { Firewall } from "../../../lib/domain/firewall";
import { ReadingState } from "../../data/ReadingState";
import { ButtonLink } from "../../ui/ButtonLink";
import { Card } from "../../ui/Card";
import { EmptyState } from "../../ui/EmptyState";
import { PageHeader } from "../../ui/PageHeader";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../../ui/Table";
import { TextLink } from "../../ui/TextLink";
import { NetworkTabs } from "../NetworkTabs";
import { PendingBanner } from "../PendingBanner";
import { useFirewalls } from "../useNetworkData";
import { CannotEnforce } from "./CannotEnforce";
import { RuleSummary } from "./RuleSummary";
import { useFirewallNames } from "./useFirewallNames";

/** Walls between VMs and everybody else. */
export function FirewallsPage() {
  const firewalls = useFirewalls();
  const createLink = (
    <ButtonLink href="/networks/firewalls/new" variant="primary" icon={<Plus aria-hidden />}>
      Create firewall
    </ButtonLink>
  );
  return (
    <>
      <PageHeader
        title="Firewalls"
        description="Named sets of rules, given to VMs, that say who may connect to them and where they may connect."
        actions={firewalls.data?.length ? createLink : undefined}
      />
      <NetworkTabs />
      <CannotEnforce what="firewalls" />
      <PendingBanner className="mb-4" />
      <Card flush>
        <ReadingState reading={firewalls} what="firewalls">
          {(list) =>
            list.length > 0 ? (
              <FirewallTable firewalls={list} />
            ) : (
              <EmptyState icon={<BrickWall aria-hidden />} title="No firewalls yet" action={createLink}>
                Without one, a VM is reached by all of its network and by the host. A firewall takes effect at once, and
                answers always pass.
              </EmptyState>
            )
          }
        </ReadingState>
      </Card>
    </>
  );
}

function FirewallTable({ firewalls }: { firewalls: readonly Firewall[] }) {
  const nameOf = useFirewallNames();
  return (
    <Table label="Firewalls">
      <TableHead>
        <Th>Name</Th>
        <Th>What it does</Th>
        <Th>VMs</Th>
      </TableHead>
      <TableBody>
        {firewalls.map(({ id, name, rules, vms }) => (
          <Tr key={id}>
            <Td className="max-w-56 align-top">
              <TextLink href={`/networks/firewalls/${id}`} className="font-medium">
                {name}
              </TextLink>
            </Td>
            <Td className="min-w-56">
              <RuleSummary rules={rules} nameOf={nameOf} />
            </Td>
            <Td className="max-w-56 align-top text-muted">{vms.map((vm) => vm.name).join(", ") || "none"}</Td>
          </Tr>
        ))}
      </TableBody>
    </Table>
  );
}
