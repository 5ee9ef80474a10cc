"use client";

import { Plus, Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { apiRequest } from "../../../../lib/api/client";
import type { NetworkRemoval } from "../../../../lib/domain/network";
import type { PortForwardView } from "../../../../lib/domain/portForward";
import type { Vm } from "../../../../lib/domain/vm";
import type { VmNetworking } from "../../../../lib/domain/vmNetworking";
import { Banner } from "../../../ui/Banner";
import { Button } from "../../../ui/Button";
import { Card } from "../../../ui/Card";
import { CopyText } from "../../../ui/CopyText";
import { IconButton } from "../../../ui/IconButton";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../../../ui/Table";
import { useNetworkingChange } from "./useNetworkingChange";

const ForwardDialog = dynamic(() => import("./ForwardDialog").then((module) => module.ForwardDialog));

/** Ports of the host that lead to the VM, added and removed while it runs. */
export function ForwardsCard({ vm, networking }: { vm: Vm; networking: VmNetworking }) {
  const [isAdding, setAdding] = useState(false);
  const { forwards, whyNoForward } = networking;
  const { form, change } = useNetworkingChange(vm.id);
  const remove = ({ id, hostPort }: PortForwardView) => {
    const send = () => apiRequest<NetworkRemoval>("DELETE", `/api/vms/${vm.id}/forwards/${id}`);
    return change(send, `Port ${hostPort} leads here no more.`);
  };
  return (
    <Card
      flush
      title="Port forwards"
      description={`Ports of ${vm.host.name} that lead to this VM.`}
      actions={
        <Button icon={<Plus aria-hidden />} disabledReason={whyNoForward ?? undefined} onClick={() => setAdding(true)}>
          Forward a port
        </Button>
      }
    >
      {form.error ? (
        <Banner tone="bad" className="m-3">
          {form.error}
        </Banner>
      ) : null}
      {forwards.length === 0 ? (
        <p className="p-4 text-muted text-sm">
          {networking.driver === "user"
            ? `None but port ${vm.ssh.port} of 127.0.0.1, which leads to its SSH.`
            : "None. The host itself reaches all ports of the VM at its address."}
        </p>
      ) : (
        <Table label="Port forwards">
          <TableHead>
            <Th>Host</Th>
            <Th className="hidden sm:table-cell">Protocol</Th>
            <Th>VM's port</Th>
            <Th>
              <span className="sr-only">Actions</span>
            </Th>
          </TableHead>
          <TableBody>
            {forwards.map((forward) => (
              <Tr key={forward.id}>
                <Td>
                  <CopyText text={`${forward.hostAddress}:${forward.hostPort}`} what="host address and port" />
                  {forward.whyNot === null ? null : (
                    <p className="mt-1 max-w-48 whitespace-normal text-warn-ink text-xs sm:max-w-80">
                      Not in effect. {forward.whyNot}
                    </p>
                  )}
                  {forward.warning === null ? null : (
                    <p className="mt-1 max-w-48 whitespace-normal text-warn-ink text-xs sm:max-w-80">
                      {forward.warning}
                    </p>
                  )}
                </Td>
                <Td className="hidden uppercase sm:table-cell">{forward.protocol}</Td>
                <Td className="tabular-nums">
                  {forward.port} <span className="text-muted uppercase sm:hidden">{forward.protocol}</span>
                </Td>
                <Td className="text-right">
                  <IconButton
                    size="iconSm"
                    label={`Remove the forward of port ${forward.hostPort}`}
                    icon={<Trash2 aria-hidden />}
                    onClick={() => void remove(forward)}
                  />
                </Td>
              </Tr>
            ))}
          </TableBody>
        </Table>
      )}
      {isAdding ? <ForwardDialog vm={vm} driver={networking.driver} onClose={() => setAdding(false)} /> : null}
    </Card>
  );
}
