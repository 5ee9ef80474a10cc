"use client";

import { X } from "lucide-react";
import * as Radix from "radix-ui/dialog";
import type { ReactNode } from "react";
import { buttonClass } from "./buttonClass";
import { dialogOverlayClass, dialogPanelClass } from "./dialogClass";
import { useReturnFocus } from "./useReturnFocus";

export interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  description?: ReactNode;
  /** Buttons, right-aligned under the content. */
  footer?: ReactNode;
  width?: "md" | "lg";
  children: ReactNode;
}

/** What `Dialog` shows. */
export function DialogPanel({ open, onOpenChange, title, description, footer, width = "md", children }: DialogProps) {
  const returnFocus = useReturnFocus();
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={dialogOverlayClass} />
        <Radix.Content
          className={dialogPanelClass(width)}
          onCloseAutoFocus={returnFocus}
          {...(description === undefined ? { "aria-describedby": undefined } : {})}
        >
          <header className="flex items-start justify-between gap-4 px-4 pt-4">
            <div className="min-w-0">
              <Radix.Title className="font-medium text-lg">{title}</Radix.Title>
              {description === undefined ? null : (
                <Radix.Description className="mt-1 text-muted text-sm">{description}</Radix.Description>
              )}
            </div>
            <Radix.Close aria-label="Close" className={buttonClass("ghost", "iconSm")}>
              <X aria-hidden />
            </Radix.Close>
          </header>
          <div className="min-h-0 overflow-y-auto p-4">{children}</div>
          {footer ? <footer className="flex justify-end gap-2 border-line border-t px-4 py-3">{footer}</footer> : null}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
