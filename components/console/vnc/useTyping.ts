"use client";

import { useEffect, useRef, useState } from "react";
import { apiRequest } from "../../../lib/api/client";
import { messageOf } from "../../../lib/domain/errors";
import { firstUntypable, piecesOf } from "./typing";

export type TypingState =
  | { kind: "idle" }
  | { kind: "typing"; line: number; lineCount: number }
  | { kind: "cancelled"; line: number; lineCount: number }
  | { kind: "failed"; reason: string };

export interface Typing {
  state: TypingState;
  /** @returns whether all was typed */
  type(text: string): Promise<boolean>;
  cancel(): void;
}

/** Types texts into a VM as keystrokes (`POST /api/vms/{id}/type`). Leaving the page cancels. */
export function useTyping(vmId: number): Typing {
  const [state, setState] = useState<TypingState>({ kind: "idle" });
  const abort = useRef<AbortController>(null);
  useEffect(() => () => abort.current?.abort(), []);

  const type = async (text: string): Promise<boolean> => {
    const untypable = firstUntypable(text);
    if (untypable) {
      setState({ kind: "failed", reason: untypableReason(untypable) });
      return false;
    }
    const controller = new AbortController();
    abort.current = controller;
    const pieces = piecesOf(text);
    const lineCount = pieces.at(-1)?.line ?? 0;
    let line = 1;
    try {
      for (const piece of pieces) {
        line = piece.line;
        setState({ kind: "typing", line, lineCount });
        await apiRequest("POST", `/api/vms/${vmId}/type`, { text: piece.text }, { signal: controller.signal });
      }
      setState({ kind: "idle" });
      return true;
    } catch (error) {
      if (controller.signal.aborted) setState({ kind: "cancelled", line, lineCount });
      else setState({ kind: "failed", reason: `Stopped in line ${line} of ${lineCount}. ${messageOf(error)}` });
      return false;
    }
  };

  return { state, type, cancel: () => abort.current?.abort() };
}

function untypableReason({ character, line }: { character: string; line: number }): string {
  const codePoint = character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
  const shown = /\p{C}/u.test(character) ? `U+${codePoint}` : `“${character}” (U+${codePoint})`;
  return `Line ${line} has ${shown}, which is on no key of a US keyboard. Nothing was typed.`;
}
