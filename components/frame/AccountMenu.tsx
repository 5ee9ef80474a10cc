"use client";

import { BookOpen, LogOut, Settings } from "lucide-react";
import { useState } from "react";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "../ui/Menu";
import { signOut } from "./signOut";

export function AccountMenu({ userName }: { userName: string }) {
  const [isLeaving, setLeaving] = useState(false);
  return (
    <>
      <Menu
        trigger={
          <button
            type="button"
            aria-label={`Account: ${userName}`}
            className="ml-1 flex size-7 items-center justify-center rounded-full border border-line-strong bg-raised font-medium text-muted text-xs uppercase hover:text-ink"
          >
            {userName.slice(0, 1)}
          </button>
        }
      >
        <MenuLabel>Signed in as {userName}</MenuLabel>
        <MenuSeparator />
        <MenuItem icon={<Settings aria-hidden />} href="/settings">
          Settings
        </MenuItem>
        <MenuItem icon={<BookOpen aria-hidden />} href="/docs">
          Docs
        </MenuItem>
        <MenuSeparator />
        <MenuItem icon={<LogOut aria-hidden />} onSelect={() => setLeaving(true)}>
          Sign out
        </MenuItem>
      </Menu>
      <ConfirmDialog
        open={isLeaving}
        onOpenChange={setLeaving}
        title="Sign out of this browser?"
        confirmLabel="Sign out"
        tone="primary"
        onConfirm={signOut}
      >
        VMs keep running. API tokens stay valid.
      </ConfirmDialog>
    </>
  );
}
