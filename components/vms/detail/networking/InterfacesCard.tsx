"use client";

import { Plus, RefreshCw } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { Vm } from "../../../../lib/domain/vm";
import type { VmInterface, VmNetworking } from "../../../../lib/domain/vmNetworking";
import { Button } from "../../../ui/Button";
import { Card } from "../../../ui/Card";
import { RelativeTime } from "../../../ui/RelativeTime";
import { Table, TableBody, TableHead, Th } from "../../../ui/Table";
import { InterfaceRow } from "./InterfaceRow";
import { useTraffic } from "./useTraffic";

const PlugDialog = dynamic(() => import("./PlugDialog").then((module) => module.PlugDialog));
const LimitDialog = dynamic(() => import("./LimitDialog").then((module) => module.LimitDialog));

interface InterfacesCardProps {
  vm: Vm;
  networking: VmNetworking;
  onRefresh: () => void;
}

/** A VM's interfaces, with what the host sees of each. */
export function InterfacesCard({ vm, networking, onRefresh }: InterfacesCardProps) {
  const [isPlugging, setPlugging] = useState(false);
  const [limited, setLimited] = useState<VmInterface | null>(null);
  const { interfaces, seenAt, whyNot } = networking;
  const traffic = useTraffic(vm.id, vm.status === "running" && networking.driver === "bridge");
  return (
    <Card
      flush
      title="Interfaces"
      description={
        seenAt === null ? undefined : (
          <>
            Seen by the host <RelativeTime at={seenAt} />
          </>
        )
      }
      actions={
        <>
          <Button icon={<RefreshCw aria-hidden />} onClick={onRefresh}>
            Refresh
          </Button>
          <Button
            icon={<Plus aria-hidden />}
            disabledReason={whyNot ?? (interfaces.length < 8 ? undefined : "Eight are the most there can be.")}
            onClick={() => setPlugging(true)}
          >
            Plug in
          </Button>
        </>
      }
    >
      <Table label="Interfaces">
        <TableHead>
          <Th>Interface</Th>
          <Th className="hidden sm:table-cell">Network</Th>
          <Th>Address</Th>
          <Th className="hidden md:table-cell">Traffic</Th>
          <Th className="hidden lg:table-cell">Limit</Th>
          <Th>
            <span className="sr-only">Actions</span>
          </Th>
        </TableHead>
        <TableBody>
          {interfaces.map((link) => (
            <InterfaceRow
              key={link.id}
              vm={vm}
              link={link}
              live={traffic?.interfaces.find(({ id }) => id === link.id)}
              whyNot={whyNot ?? undefined}
              isLimitInEffect={networking.driver === "bridge"}
              onLimit={() => setLimited(link)}
            />
          ))}
        </TableBody>
      </Table>
      {isPlugging ? <PlugDialog vm={vm} interfaces={interfaces} onClose={() => setPlugging(false)} /> : null}
      {limited ? <LimitDialog vm={vm} link={limited} onClose={() => setLimited(null)} /> : null}
    </Card>
  );
}
