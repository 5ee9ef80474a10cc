"use client";

import { Gauge, Unplug } from "lucide-react";
import { useState } from "react";
import { useSWRConfig } from "swr";
import { apiRequest } from "../../../../lib/api/client";
import { formatExact } from "../../../../lib/browser/time";
import type { Vm } from "../../../../lib/domain/vm";
import type { VmInterface, VmTraffic } from "../../../../lib/domain/vmNetworking";
import { keys } from "../../../data/keys";
import { ConfirmDialog } from "../../../ui/ConfirmDialog";
import { CopyText } from "../../../ui/CopyText";
import { IconButton } from "../../../ui/IconButton";
import { notify } from "../../../ui/notify";
import { StatusDot } from "../../../ui/StatusDot";
import { Td, Tr } from "../../../ui/Table";
import { TextLink } from "../../../ui/TextLink";
import { interfaceState, limitInWords } from "./networkingWords";
import { TrafficText } from "./TrafficText";

interface InterfaceRowProps {
  vm: Vm;
  link: VmInterface;
  /** What is told of its traffic every second; undefined while nothing is. */
  live: VmTraffic["interfaces"][number] | undefined;
  /** Why nothing of it can be changed here. */
  whyNot: string | undefined;
  isLimitInEffect: boolean;
  onLimit: () => void;
}

export function InterfaceRow({ vm, link, live, whyNot, isLimitInEffect, onLimit }: InterfaceRowProps) {
  const [isAsked, setAsked] = useState(false);
  const { mutate } = useSWRConfig();
  const { id, network, ipv4, ipv6, mac, status, limit, isLeaving, whyNotPlugged } = link;
  const state = interfaceState(link);
  const words = limitInWords(limit);
  const limited = words === null || isLimitInEffect ? words : `${words}: not in effect`;
  const whyNoUnplug =
    id === "net0" ? "The first stays: Cumulus reaches the VM there." : isLeaving ? "It is being unplugged." : whyNot;
  const unplug = async () => {
    await apiRequest("DELETE", `/api/vms/${vm.id}/interfaces/${id}`);
    await mutate(keys.networkingOfVm(vm.id));
    notify(`${id} of ${vm.name} is being unplugged.`);
  };
  return (
    <Tr className={whyNotPlugged === null ? undefined : "text-faint"}>
      <Td className="sm:whitespace-nowrap">
        <span className="flex flex-wrap items-center gap-x-2" title={whyNotPlugged ?? undefined}>
          <StatusDot tone={state.tone} hollow={status === null} moving={isLeaving} />
          <code className="font-mono text-xs">{id}</code>
          <span className="text-muted">{state.word}</span>
        </span>
        <span className="hidden text-muted sm:block">
          <CopyText text={mac} what={`MAC address of ${id}`} />
        </span>
        {status?.isUp && status.leaseEndsAt ? (
          <span className="block whitespace-normal text-muted text-xs">
            lease until {formatExact(status.leaseEndsAt)}
          </span>
        ) : null}
      </Td>
      <Td className="hidden max-w-40 truncate sm:table-cell">
        <TextLink href={`/networks/${network.id}`}>{network.name}</TextLink>
      </Td>
      <Td>
        <CopyText text={ipv4} what={`address of ${id}`} />
        {ipv6 ? (
          <span className="flex max-w-32 xl:max-w-40">
            <CopyText text={ipv6} what={`IPv6 address of ${id}`} />
          </span>
        ) : null}
        <TextLink href={`/networks/${network.id}`} className="block max-w-32 truncate text-xs sm:hidden">
          {network.name}
        </TextLink>
        <span className="mt-1 block text-sm md:hidden">
          <TrafficText status={status} live={live} />
        </span>
        {limited ? <span className="mt-1 block max-w-32 text-muted text-xs lg:hidden">Limit: {limited}</span> : null}
      </Td>
      <Td className="hidden whitespace-nowrap text-muted md:table-cell">
        <TrafficText status={status} live={live} />
      </Td>
      <Td className="hidden min-w-28 text-muted lg:table-cell">{limited ?? "none"}</Td>
      <Td className="whitespace-nowrap text-right">
        <IconButton
          size="iconSm"
          label={`Limit ${id}`}
          icon={<Gauge aria-hidden />}
          disabledReason={whyNot}
          onClick={onLimit}
        />
        <IconButton
          size="iconSm"
          label={`Unplug ${id}`}
          icon={<Unplug aria-hidden />}
          disabledReason={whyNoUnplug}
          onClick={() => setAsked(true)}
        />
        <ConfirmDialog
          open={isAsked}
          onOpenChange={setAsked}
          title={`Unplug ${id} of ${vm.name}?`}
          confirmLabel="Unplug"
          onConfirm={unplug}
        >
          It leaves the network {network.name}, at once when it runs. Its address {ipv4} is given up.
        </ConfirmDialog>
      </Td>
    </Tr>
  );
}
