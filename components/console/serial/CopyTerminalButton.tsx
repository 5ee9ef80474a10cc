"use client";

import type { Terminal } from "@xterm/xterm";
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "../../ui/Button";
import { bufferText } from "./bufferText";
import { useSelection } from "./useSelection";

const shownForMs = 1_500;

/** Copies what is selected; all text when nothing is. */
export function CopyTerminalButton({ terminal }: { terminal: Terminal }) {
  const selection = useSelection(terminal);
  const [outcome, setOutcome] = useState<"Copied" | "Copying was not allowed">();

  useEffect(() => {
    if (outcome === undefined) return;
    const timer = setTimeout(() => setOutcome(undefined), shownForMs);
    return () => clearTimeout(timer);
  }, [outcome]);

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(selection || bufferText(terminal.buffer.normal));
      setOutcome("Copied");
    } catch {
      setOutcome("Copying was not allowed");
    }
  };
  const isPossible = window.isSecureContext;
  return (
    <Button
      variant="ghost"
      size="sm"
      icon={outcome === "Copied" ? <Check aria-hidden /> : <Copy aria-hidden />}
      disabledReason={
        isPossible ? undefined : "Browsers copy over HTTPS or on localhost only. Download the log instead."
      }
      onClick={copy}
    >
      {outcome ?? (selection ? "Copy selection" : "Copy all")}
      <span role="status" className="sr-only">
        {outcome}
      </span>
    </Button>
  );
}
