"use client";

import type { Terminal } from "@xterm/xterm";
import { type RefObject, useCallback, useEffect, useRef, useState } from "react";
import { openConsoleSocket } from "../connection/consoleSocket";
import type { Attempt } from "../connection/keepConnected";
import { type ConsoleConnection, useKeptConnection } from "../connection/useKeptConnection";

interface SerialOptions {
  vmId: number;
  /** The terminal's accessible name. */
  label: string;
  target: RefObject<HTMLElement | null>;
  isWanted: boolean;
  /** When it changes, waiting for the next try ends. */
  news: string;
}

export interface Serial {
  connection: ConsoleConnection;
  retryNow(): void;
  /** Null until xterm is loaded. */
  terminal: Terminal | null;
  /** Types into the guest. */
  send(text: string): void;
}

/** A large paste goes in pieces, so that no message is larger than the server takes. */
const pieceBytes = 16 * 1024;
/** What a person does before a terminal has anything to say; a terminal that answers a query does none of it. */
const inputEvents = ["keydown", "paste", "input", "compositionend"] as const;

/** A VM's serial line on a terminal, from the first line of the log on; reconnects by itself. */
export function useSerial({ vmId, label, target, isWanted, news }: SerialOptions): Serial {
  const [terminal, setTerminal] = useState<Terminal | null>(null);
  const socket = useRef<WebSocket>(null);
  const hasTyped = useRef(false);

  const sendBytes = useCallback((bytes: Uint8Array<ArrayBuffer>) => {
    if (socket.current?.readyState !== WebSocket.OPEN) return;
    for (let at = 0; at < bytes.length; at += pieceBytes) socket.current.send(bytes.subarray(at, at + pieceBytes));
  }, []);

  useEffect(() => {
    const parent = target.current;
    if (!parent) return;
    let dispose: (() => void) | undefined;
    let isGone = false;
    const noteInput = () => {
      hasTyped.current = true;
    };
    for (const event of inputEvents) parent.addEventListener(event, noteInput, { capture: true });
    void import("./createTerminal").then(({ createTerminal }) => {
      if (isGone) return;
      const handle = createTerminal(parent, label);
      dispose = handle.dispose;
      // The log holds queries of earlier programs. Answers to them would be typed into whatever runs now: nothing is sent
      // until somebody types.
      handle.terminal.onData((data) => hasTyped.current && sendBytes(new TextEncoder().encode(data)));
      handle.terminal.onBinary((data) => hasTyped.current && sendBytes(Uint8Array.from(data, (c) => c.charCodeAt(0))));
      setTerminal(handle.terminal);
    });
    return () => {
      isGone = true;
      for (const event of inputEvents) parent.removeEventListener(event, noteInput, { capture: true });
      dispose?.();
      setTerminal(null);
    };
  }, [target, label, sendBytes]);

  const attempt = useCallback<Attempt>(
    ({ connected, lost, denied }) => {
      const opened = openConsoleSocket(vmId, "serial", {
        opened() {
          hasTyped.current = false;
          socket.current = opened;
          // The log comes anew with each connection.
          terminal?.reset();
          connected();
        },
        closed: () => {},
        lost,
        denied,
      });
      opened.addEventListener("message", ({ data }) => terminal?.write(new Uint8Array(data as ArrayBuffer)));
      return () => opened.close();
    },
    [vmId, terminal],
  );
  const [connection, retryNow] = useKeptConnection(terminal && isWanted ? attempt : null, news);

  return { connection, retryNow, terminal, send: (text) => sendBytes(new TextEncoder().encode(text)) };
}
