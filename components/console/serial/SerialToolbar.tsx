"use client";

import type { Terminal } from "@xterm/xterm";
import { Download, Scaling } from "lucide-react";
import type { ReactNode, RefObject } from "react";
import { downloadText } from "../../../lib/browser/download";
import { Button } from "../../ui/Button";
import { IconButton } from "../../ui/IconButton";
import { Tooltip } from "../../ui/Tooltip";
import { bufferText } from "./bufferText";
import { CopyTerminalButton } from "./CopyTerminalButton";

interface SerialToolbarProps {
  vmName: string;
  status: ReactNode;
  terminal: Terminal | null;
  /** Gets the focus when the user leaves the terminal. */
  firstButton: RefObject<HTMLButtonElement | null>;
  /** Why nothing can be typed now. */
  disabledReason: string | undefined;
  send: (text: string) => void;
}

export function SerialToolbar({ vmName, status, terminal, firstButton, disabledReason, send }: SerialToolbarProps) {
  const setGuestSize = () => {
    if (terminal) send(`stty cols ${terminal.cols} rows ${terminal.rows}\n`);
  };
  const fitButton = (
    <Button
      ref={firstButton}
      variant="ghost"
      size="sm"
      icon={<Scaling aria-hidden />}
      disabledReason={disabledReason}
      onClick={setGuestSize}
    >
      Set size
    </Button>
  );
  return (
    <div
      role="toolbar"
      aria-label="Serial console"
      className="flex min-h-10 flex-wrap items-center gap-1 border-line border-b bg-surface px-2 py-1"
    >
      <div className="mr-auto px-1">{status}</div>
      {disabledReason === undefined ? (
        <Tooltip content="A serial line doesn't tell the guest how large the terminal is. This types the stty command that does, at a shell's prompt.">
          {fitButton}
        </Tooltip>
      ) : (
        fitButton
      )}
      {terminal ? <CopyTerminalButton terminal={terminal} /> : null}
      <IconButton
        label="Download the log"
        icon={<Download aria-hidden />}
        onClick={() => terminal && downloadText(`${vmName}-serial.log`, bufferText(terminal.buffer.normal))}
      />
    </div>
  );
}
