"use client";

import Link from "next/link";
import * as Radix from "radix-ui/dropdown-menu";
import type { ReactNode } from "react";
import { cx } from "./cx";

export interface MenuProps {
  /** The button that opens it: one element that takes a ref. */
  trigger: ReactNode;
  align?: "start" | "end";
  side?: "top" | "right" | "bottom" | "left";
  children: ReactNode;
}

/** What `Menu` shows from the time it is first opened. */
export function OpenedMenu({ trigger, align = "end", side = "bottom", children }: MenuProps) {
  return (
    // Not modal: the page behind stays readable to assistive technology, and a click outside only closes the menu.
    <Radix.Root modal={false} defaultOpen>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          side={side}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 min-w-44 max-w-80 animate-pop-in rounded-lg border border-line-strong bg-surface p-1 shadow-float"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export interface MenuItemProps {
  icon?: ReactNode;
  children: ReactNode;
  /** Goes there… */
  href?: string;
  /** …or does this. */
  onSelect?: () => void;
  tone?: "default" | "danger";
  /** Right-aligned: a shortcut, a check mark. */
  aside?: ReactNode;
  /** Why it can't be used now; it stays reachable and says so. */
  disabledReason?: string | undefined;
}

export function MenuItem({ icon, children, href, onSelect, tone = "default", aside, disabledReason }: MenuItemProps) {
  const isDisabled = disabledReason !== undefined;
  const content = (
    <>
      {icon ? <span className="flex h-5 items-center text-faint [&_svg]:size-4">{icon}</span> : null}
      <span className="min-w-0 flex-1">
        <span className={cx(isDisabled && "opacity-55")}>{children}</span>
        {isDisabled ? <span className="block text-muted text-xs">{disabledReason}</span> : null}
      </span>
      {aside ? <span className="text-faint text-xs leading-5">{aside}</span> : null}
    </>
  );
  return (
    <Radix.Item
      asChild={href !== undefined && !isDisabled}
      aria-disabled={isDisabled || undefined}
      onSelect={(event) => (isDisabled ? event.preventDefault() : onSelect?.())}
      className={cx(
        "flex select-none items-start gap-2 rounded-md px-2 py-1.5 text-sm outline-none data-highlighted:bg-raised",
        tone === "danger" && "text-bad-ink",
        isDisabled && "cursor-not-allowed",
      )}
    >
      {href !== undefined && !isDisabled ? <Link href={href}>{content}</Link> : content}
    </Radix.Item>
  );
}

export function MenuSeparator() {
  return <Radix.Separator className="-mx-1 my-1 h-px bg-line" />;
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <Radix.Label className="px-2 py-1.5 text-faint text-xs">{children}</Radix.Label>;
}
