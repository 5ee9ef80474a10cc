"use client";

import { X } from "lucide-react";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { type MouseEvent, memo } from "react";
import { formatBytes } from "../../../lib/domain/units";
import type { Vm } from "../../../lib/domain/vm";
import { Checkbox } from "../../ui/Checkbox";
import { CopyText } from "../../ui/CopyText";
import { IconButton } from "../../ui/IconButton";
import { RelativeTime } from "../../ui/RelativeTime";
import { Td, Tr } from "../../ui/Table";
import { useVmActs } from "../actions/useVmActs";
import { VmRowActions } from "../actions/VmRowActions";
import { VmScreen } from "../shared/VmScreen";
import { VmStatusLine } from "../shared/VmStatusLine";
import { timelineSummary } from "../shared/vmWords";

interface VmRowProps {
  vm: Vm;
  isSelected: boolean;
  onSelect: (vm: Vm, isSelected: boolean) => void;
  onDestroy: (vm: Vm) => void;
}

/** A VM in the list: a row of the table; on narrow screens the same cells as a card. */
export const VmRow = memo(function VmRow({ vm, isSelected, onSelect, onDestroy }: VmRowProps) {
  const router = useRouter();
  const acts = useVmActs(vm);
  const open = (event: MouseEvent<HTMLElement>) => {
    const { target, currentTarget } = event;
    // The row's menu and dialogs stand elsewhere in the page, and their clicks come here, too.
    const isOwn =
      target instanceof Element && currentTarget.contains(target) && !target.closest("a, button, input, label");
    if (isOwn && !window.getSelection()?.toString()) router.push(`/vms/${vm.id}`);
  };
  return (
    <Tr
      interactive
      aria-selected={isSelected}
      onClick={open}
      className="aria-selected:bg-accent-soft/50 max-md:grid max-md:grid-cols-[auto_minmax(0,1fr)_auto] max-md:items-center max-md:gap-x-3 max-md:px-4 max-md:py-3 max-md:[&>td]:p-0!"
    >
      <Td className="w-8 max-md:order-1 max-md:row-span-3 max-md:w-auto max-md:self-start">
        <span className="flex items-center gap-3">
          <Checkbox
            aria-label={`Select ${vm.name}`}
            checked={isSelected}
            onChange={(event) => onSelect(vm, event.target.checked)}
          />
          <VmScreen vm={vm} className="w-18" />
        </span>
      </Td>
      <Td className="max-md:order-2">
        <Link href={`/vms/${vm.id}`} title={vm.name} className="block max-w-64 truncate font-medium hover:underline">
          {vm.name}
        </Link>
      </Td>
      <Td className="max-md:order-4 max-md:col-span-2 max-md:col-start-2">
        <VmStatusLine vm={vm} />
        <StatusNote vm={vm} error={acts.error} onDismiss={acts.dismissError} />
      </Td>
      <Td className="whitespace-nowrap text-muted max-md:hidden">{vm.image.title}</Td>
      <Td className="whitespace-nowrap text-muted max-lg:hidden">
        {vm.size.name ?? "custom"}
        <span className="block text-faint text-xs">
          {vm.size.vcpus} vCPU · {formatBytes(vm.size.memoryBytes)}
        </span>
      </Td>
      <Td className="max-md:order-5 max-md:col-span-2 max-md:col-start-2">
        <CopyText text={vm.ipv4} what={`address of ${vm.name}`} />
      </Td>
      <Td className="text-muted max-xl:hidden">{vm.host.name}</Td>
      <Td className="whitespace-nowrap text-muted max-lg:hidden">
        <RelativeTime at={vm.createdAt} />
      </Td>
      <Td className="text-right max-md:order-3">
        <VmRowActions vm={vm} acts={acts} onDestroy={() => onDestroy(vm)} />
      </Td>
    </Tr>
  );
});

interface StatusNoteProps {
  vm: Vm;
  /** Why an act that was asked for here was refused. */
  error: string | undefined;
  onDismiss: () => void;
}

/** Under the status: why it is so, or what is being done. */
function StatusNote({ vm, error, onDismiss }: StatusNoteProps) {
  if (error !== undefined) {
    return (
      <span role="alert" className="flex max-w-md items-start gap-1 text-bad-ink text-xs">
        {error}
        <IconButton size="iconSm" label="Dismiss" icon={<X aria-hidden />} onClick={onDismiss} className="-my-1.5" />
      </span>
    );
  }
  if (vm.statusReason) {
    const isBad = vm.status === "failed";
    return <span className={`block max-w-md text-xs ${isBad ? "text-bad-ink" : "text-muted"}`}>{vm.statusReason}</span>;
  }
  const isUnderWay = vm.timeline.some((entry) => entry.state === "active");
  return isUnderWay ? <span className="block text-muted text-xs">{timelineSummary(vm.timeline)}</span> : null;
}
