"use client";

import { Command } from "cmdk";
import { BookOpen, LogOut, Plus, Search, Server } from "lucide-react";
import { useRouter } from "next/navigation";
import * as Dialog from "radix-ui/dialog";
import type { ReactNode } from "react";
import { useVms } from "../data/hooks";
import { Banner } from "../ui/Banner";
import { dialogOverlayClass } from "../ui/dialogClass";
import { sections } from "./sections";
import { signOut } from "./signOut";
import { themeIcons, themeNames } from "./ThemeMenu";
import { setTheme } from "./theme";
import { themes } from "./themeScript";
import { usePowerCommands } from "./usePowerCommands";

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
          <Commands close={() => onOpenChange(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Commands({ close }: { close: () => void }) {
  const router = useRouter();
  const { data: vms = [] } = useVms();
  const power = usePowerCommands(vms, close);
  const go = (href: string) => () => {
    router.push(href);
    close();
  };
  return (
    <Command label="Search or run a command" loop>
      <div className="flex items-center gap-2 border-line border-b px-3">
        <Search aria-hidden className="size-4 text-faint" />
        <Command.Input
          placeholder="A VM, a page, or what to do"
          className="h-11 w-full bg-transparent text-base outline-none"
        />
      </div>
      {power.error ? (
        <Banner tone="bad" className="m-2">
          {power.error}
        </Banner>
      ) : null}
      <Command.List className="max-h-[min(22rem,60dvh)] overflow-y-auto p-1">
        <Command.Empty className="px-3 py-6 text-center text-muted text-sm">Nothing is called that.</Command.Empty>
        {vms.length > 0 ? (
          <Group heading="VMs">
            {vms.map((vm) => (
              <Item
                key={vm.id}
                value={`vm ${vm.name} ${vm.id}`}
                keywords={[vm.ipv4, vm.image.name, vm.status]}
                icon={<Server aria-hidden />}
                aside={vm.status}
                onSelect={go(`/vms/${vm.id}`)}
              >
                {vm.name}
              </Item>
            ))}
          </Group>
        ) : null}
        <Group heading="Go to">
          {sections.map((section) => (
            <Item
              key={section.href}
              value={`go ${section.label}`}
              icon={<section.icon aria-hidden />}
              onSelect={go(section.href)}
            >
              {section.label}
            </Item>
          ))}
          <Item value="go API docs" icon={<BookOpen aria-hidden />} onSelect={go("/docs")}>
            API docs
          </Item>
        </Group>
        <Group heading="Do">
          <Item value="create new VM" icon={<Plus aria-hidden />} onSelect={go("/vms/new")}>
            Create a VM
          </Item>
          {power.commands.map((command) => (
            <Item key={command.label} value={command.label} icon={<command.icon aria-hidden />} onSelect={command.run}>
              {command.label}
            </Item>
          ))}
          {themes.map((theme) => {
            const Icon = themeIcons[theme];
            return (
              <Item
                key={theme}
                value={`theme ${theme}`}
                icon={<Icon aria-hidden />}
                onSelect={() => {
                  setTheme(theme);
                  close();
                }}
              >
                Theme: {themeNames[theme].toLowerCase()}
              </Item>
            );
          })}
          <Item value="sign out" icon={<LogOut aria-hidden />} onSelect={() => power.attempt(signOut)}>
            Sign out
          </Item>
        </Group>
      </Command.List>
    </Command>
  );
}

function Group({ heading, children }: { heading: string; children: ReactNode }) {
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
  value: string;
  keywords?: string[];
  icon: ReactNode;
  aside?: string;
  onSelect: () => void;
  children: ReactNode;
}

function Item({ value, keywords = [], icon, aside, onSelect, children }: ItemProps) {
  return (
    <Command.Item
      value={value}
      keywords={keywords}
      onSelect={onSelect}
      className="flex h-9 cursor-pointer items-center gap-2.5 rounded-md px-2 text-sm data-[selected=true]:bg-raised [&_svg]:size-4 [&_svg]:text-faint"
    >
      {icon}
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {aside ? <span className="text-muted text-xs">{aside}</span> : null}
    </Command.Item>
  );
}
