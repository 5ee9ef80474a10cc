"use client";

import type { Terminal } from "@xterm/xterm";
import { useEffect, useState } from "react";

/** What is selected in a terminal; empty when nothing is. */
export function useSelection(terminal: Terminal | null): string {
  const [selection, setSelection] = useState("");
  useEffect(() => {
    if (!terminal) return;
    const subscription = terminal.onSelectionChange(() => setSelection(terminal.getSelection()));
    return () => {
      subscription.dispose();
      setSelection("");
    };
  }, [terminal]);
  return selection;
}
