"use client";

import { type RefObject, useEffect, useState } from "react";
import type { Vm } from "../../../lib/domain/vm";

/**
 * The address of a VM's screen as it is now. It is another one, so that the browser reads anew, when the VM's status or boot
 * moved on, when the element comes into view, and when the tab is looked at again. No timer. Null while nobody sees the element,
 * and before there can be a screen.
 */
export function useScreenSource(vm: Vm, element: RefObject<HTMLElement | null>): string | null {
  /** When it was looked at last: the browser would show a picture that it has of the same address without asking. */
  const [lookedAtMs, setLookedAtMs] = useState<number>();
  useEffect(() => {
    const lookAgain = () => setLookedAtMs(Date.now());
    const lookWhenVisible = () => {
      if (document.visibilityState === "visible") lookAgain();
    };
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) lookAgain();
    });
    if (element.current) observer.observe(element.current);
    document.addEventListener("visibilitychange", lookWhenVisible);
    return () => {
      observer.disconnect();
      document.removeEventListener("visibilitychange", lookWhenVisible);
    };
  }, [element]);
  const isStarted =
    vm.status !== "creating" || vm.timeline.some(({ step, state }) => step === "started" && state === "done");
  if (lookedAtMs === undefined || !isStarted) return null;
  const reachedCount = vm.timeline.filter((entry) => entry.state === "done").length;
  const version = [vm.status, Date.parse(vm.statusSince), reachedCount, lookedAtMs].join("-");
  return `/api/vms/${vm.id}/screenshot?at=${version}`;
}
