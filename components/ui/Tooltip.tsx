"use client";

import * as Radix from "radix-ui/tooltip";
import { type FocusEvent, type MouseEvent, type ReactNode, useState } from "react";

interface TooltipProps {
  content: ReactNode;
  /** One element that takes a ref and the handlers of a trigger. */
  children: ReactNode;
  side?: "top" | "right" | "bottom" | "left";
  /** Shows it on click too, for triggers that do nothing when clicked: so it can be read on a touch screen. */
  opensOnClick?: boolean;
}

/** A short text beside its trigger, on hover and on focus by the keyboard. Needs `TooltipProvider` above it. */
export function Tooltip({ content, children, side = "top", opensOnClick = false }: TooltipProps) {
  const [isOpen, setOpen] = useState(false);
  const openOnClick = (event: MouseEvent) => {
    event.preventDefault();
    setOpen(true);
  };
  // Focus that comes back to a button after its dialog is nobody's wish to read, and what it showed would lie over the next button.
  const openOnKeyboardFocus = (event: FocusEvent) => {
    if (!event.currentTarget.matches(":focus-visible")) event.preventDefault();
  };
  return (
    <Radix.Root open={isOpen} onOpenChange={setOpen}>
      <Radix.Trigger asChild onFocus={openOnKeyboardFocus} onClick={opensOnClick ? openOnClick : undefined}>
        {children}
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          side={side}
          sideOffset={6}
          collisionPadding={8}
          className="z-60 max-w-72 animate-fade-in rounded-md border border-line-strong bg-surface px-2 py-1 text-xs text-ink shadow-float"
        >
          {content}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export function TooltipProvider({ children }: { children: ReactNode }) {
  return (
    <Radix.Provider delayDuration={350} skipDelayDuration={200}>
      {children}
    </Radix.Provider>
  );
}
