"use client";

import { Command } from "cmdk";
import { Search, Server } from "lucide-react";
import { useRouter } from "next/navigation";
import * as Dialog from "radix-ui/dialog";
import { type ReactNode, useState } from "react";
import { useVms } from "../data/hooks";
import { Banner } from "../ui/Banner";
import { dialogOverlayClass } from "../ui/dialogClass";
import { leaveBy } from "../ui/leaving";
import { matches } from "./matches";
import { type PaletteCommand, useCommands } from "./useCommands";

interface CommandPaletteProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Everything by keyboard: VMs, pages, acts. */
export function CommandPalette({ open, onOpenChange }: CommandPaletteProps) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className={dialogOverlayClass} />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-x-2 top-2 z-50 mx-auto max-w-xl animate-pop-in overflow-hidden rounded-lg border border-line-strong bg-surface shadow-float sm:top-[14vh]"
        >
          <Dialog.Title className="sr-only">Search or run a command</Dialog.Title>
          <Palette close={() => onOpenChange(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Palette({ close }: { close: () => void }) {
  const router = useRouter();
  const { data, error: readingError } = useVms();
  const vms = data ?? [];
  const { pages, acts, vmActs, error } = useCommands(vms, close);
  const [query, setQuery] = useState("");
  const isAsking = query.trim() !== "";

  const shownVms = matches(
    vms,
    query,
    (vm) => `${vm.name} ${vm.status} ${vm.ipv4} ${vm.image.title}`,
    isAsking ? 8 : 5,
  );
  const vmGroup = (
    <Group heading="VMs">
      {shownVms.map((vm) => (
        <Item
          key={vm.id}
          value={`vm-${vm.id}`}
          icon={<Server aria-hidden />}
          aside={vm.status}
          onSelect={() => {
            close();
            leaveBy(() => router.push(`/vms/${vm.id}`));
          }}
        >
          {vm.name}
        </Item>
      ))}
    </Group>
  );
  const byLabel = ({ label }: PaletteCommand) => label;

  return (
    <Command label="Search or run a command" loop shouldFilter={false}>
      <div className="flex items-center gap-2.5 border-line border-b px-3">
        <Search aria-hidden className="size-4 text-faint" />
        <Command.Input
          value={query}
          onValueChange={setQuery}
          placeholder="A VM, a page, or what to do"
          className="h-11 w-full bg-transparent text-base outline-none"
        />
      </div>
      {error ? (
        <Banner tone="bad" className="m-2">
          {error}
        </Banner>
      ) : null}
      <Command.List className="max-h-[min(24rem,60dvh)] overflow-y-auto p-1">
        <Command.Empty className="px-3 py-6 text-center text-muted text-sm">
          {data || readingError ? "Nothing is called that." : "Reading VMs…"}
        </Command.Empty>
        {isAsking ? vmGroup : null}
        <CommandGroup heading="Go to" commands={matches(pages, query, byLabel, 8)} />
        {isAsking ? null : vmGroup}
        <CommandGroup heading="Do" commands={matches(isAsking ? [...vmActs, ...acts] : acts, query, byLabel, 8)} />
      </Command.List>
    </Command>
  );
}

function CommandGroup({ heading, commands }: { heading: string; commands: PaletteCommand[] }) {
  return (
    <Group heading={heading}>
      {commands.map((command) => (
        <Item
          key={command.label}
          value={`${heading} ${command.label}`}
          icon={<command.icon aria-hidden />}
          onSelect={command.run}
        >
          {command.label}
        </Item>
      ))}
    </Group>
  );
}

function Group({ heading, children }: { heading: string; children: ReactNode[] }) {
  if (children.length === 0) return null;
  return (
    <Command.Group
      heading={heading}
      className="[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-faint [&_[cmdk-group-heading]]:text-xs"
    >
      {children}
    </Command.Group>
  );
}

interface ItemProps {
  /** Tells items apart. */
  value: string;
  icon: ReactNode;
  aside?: string;
  onSelect: () => void;
  children: ReactNode;
}

function Item({ value, icon, aside, onSelect, children }: ItemProps) {
  return (
    <Command.Item
      value={value}
      onSelect={onSelect}
      className="flex h-9 cursor-pointer items-center gap-2.5 rounded-md px-2 text-sm data-[selected=true]:bg-raised [&_svg]:size-4 [&_svg]:text-faint"
    >
      {icon}
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {aside ? <span className="text-muted text-xs">{aside}</span> : null}
    </Command.Item>
  );
}
