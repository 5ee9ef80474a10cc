"use client";

import { useEffect, useState } from "react";

const shownForMs = 1500;

/** Copies a text to the clipboard; `state` says for a moment how it went. */
export function useCopy(text: string): { state: "idle" | "copied" | "failed"; copy: () => void } {
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), shownForMs);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => {
    writeText(text).then(
      () => setState("copied"),
      () => setState("failed"),
    );
  };
  return { state, copy };
}

/** The clipboard API exists only in secure contexts; over plain HTTP to another machine the old command still works. */
async function writeText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  if (!isCopied) throw new Error("The browser did not allow copying.");
}
