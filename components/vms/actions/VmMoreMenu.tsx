"use client";

import { Ellipsis, Monitor, Settings, SquareTerminal, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import type { Vm } from "../../../lib/domain/vm";
import { IconButton } from "../../ui/IconButton";
import { Menu, MenuItem, MenuSeparator } from "../../ui/Menu";
import { keysOfShortcut } from "../shared/useShortcuts";
import type { VmActs } from "./useVmActs";
import { type PowerAct, vmActs } from "./vmActs";
import { whyNotNow } from "./whyNotNow";

interface VmMoreMenuProps {
  vm: Vm;
  acts: VmActs;
  /** The power acts that have no button of their own here. */
  offered: readonly PowerAct[];
  /** Links to the VM's console and settings, where the page has none. */
  withLinks?: boolean;
  /** Further items of the page. */
  children?: ReactNode;
  onDestroy: () => void;
  size?: "icon" | "iconSm";
}

/** What else can be done with a VM. */
export function VmMoreMenu({
  vm,
  acts,
  offered,
  withLinks = false,
  children,
  onDestroy,
  size = "icon",
}: VmMoreMenuProps) {
  return (
    <Menu trigger={<IconButton size={size} label={`More for ${vm.name}`} icon={<Ellipsis aria-hidden />} />}>
      {offered.map((act) => {
        const { label, icon: Icon, shortcut } = vmActs[act];
        return (
          <MenuItem
            key={act}
            icon={<Icon aria-hidden />}
            aside={withLinks ? undefined : keysOfShortcut(shortcut).join(" ")}
            disabledReason={whyNotNow(act, vm.status)}
            onSelect={() => void acts.run(act)}
          >
            {label}
          </MenuItem>
        );
      })}
      <MenuSeparator />
      {withLinks ? (
        <>
          <MenuItem icon={<Monitor aria-hidden />} href={`/vms/${vm.id}/console`}>
            Console
          </MenuItem>
          <MenuItem icon={<SquareTerminal aria-hidden />} href={`/vms/${vm.id}/serial`}>
            Serial
          </MenuItem>
          <MenuItem icon={<Settings aria-hidden />} href={`/vms/${vm.id}/settings`}>
            Settings
          </MenuItem>
          <MenuSeparator />
        </>
      ) : null}
      {children}
      <MenuItem
        icon={<Trash2 aria-hidden />}
        tone="danger"
        disabledReason={whyNotNow("destroy", vm.status)}
        onSelect={onDestroy}
      >
        Destroy…
      </MenuItem>
    </Menu>
  );
}
