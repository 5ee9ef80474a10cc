"use client";

import { useRouter } from "next/navigation";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { ConfirmDialog } from "./ConfirmDialog";
import { type Leaving, leavesFor, leavingEvent } from "./leaving";

interface LeaveGuardProps {
  /** Whether there is something to lose. */
  isOn: boolean;
  title: string;
  /** The button that leaves. */
  confirmLabel?: string;
  /** What is lost. */
  children: ReactNode;
}

/**
 * Asks before the page is left: by a link, the palette, the browser's way back (where the browser can be asked to wait), or with the tab, for which the
 * browser has its own question.
 */
export function LeaveGuard({ isOn, title, confirmLabel = "Leave without saving", children }: LeaveGuardProps) {
  const router = useRouter();
  const [held, setHeld] = useState<{ go: () => void } | null>(null);
  const isLeaving = useRef(false);
  useEffect(() => {
    if (!isOn) return;
    isLeaving.current = false;
    const listening = new AbortController();
    const { signal } = listening;
    const hold = (event: Event, go: () => void) => {
      event.preventDefault();
      event.stopPropagation();
      setHeld({ go });
    };
    const onUnload = (event: BeforeUnloadEvent) => {
      if (!isLeaving.current) event.preventDefault();
    };
    const onClick = (event: MouseEvent) => {
      const href = leavesFor(event);
      if (href !== null) hold(event, () => router.push(href));
    };
    const onNavigate = (event: NavigateEvent) => {
      if (event.navigationType !== "traverse" || !event.cancelable || isLeaving.current) return;
      const { key } = event.destination;
      hold(event, () => void window.navigation.traverseTo(key));
    };
    const onLeaving = (event: Event) => hold(event, (event as Leaving).detail.go);
    window.addEventListener("beforeunload", onUnload, { signal });
    window.addEventListener(leavingEvent, onLeaving, { signal });
    // Before the link itself hears of it.
    document.addEventListener("click", onClick, { capture: true, signal });
    if ("navigation" in window) window.navigation.addEventListener("navigate", onNavigate, { signal });
    return () => listening.abort();
  }, [isOn, router]);
  useEffect(() => {
    // What could be lost is safe meanwhile, as a file that has been sent: nothing is left to ask.
    if (isOn || !held) return;
    setHeld(null);
    held.go();
  }, [isOn, held]);
  return (
    <ConfirmDialog
      open={held !== null}
      onOpenChange={(isOpen) => isOpen || setHeld(null)}
      title={title}
      confirmLabel={confirmLabel}
      onConfirm={async () => {
        isLeaving.current = true;
        held?.go();
      }}
    >
      {children}
    </ConfirmDialog>
  );
}
