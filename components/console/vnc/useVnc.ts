"use client";

import type RFB from "@novnc/novnc";
import { type RefObject, useCallback, useEffect, useRef, useState } from "react";
import { openConsoleSocket } from "../connection/consoleSocket";
import type { Attempt } from "../connection/keepConnected";
import { type ConsoleConnection, useKeptConnection } from "../connection/useKeptConnection";

interface VncOptions {
  vmId: number;
  /** The canvas' accessible name. */
  label: string;
  /** Where the screen appears. */
  target: RefObject<HTMLElement | null>;
  /** Whether there is a screen to connect to. */
  isWanted: boolean;
  isScaled: boolean;
  /** When it changes, waiting for the next try ends. */
  news: string;
}

export interface Vnc {
  connection: ConsoleConnection;
  retryNow(): void;
  /** The live viewer; null while not connected. */
  rfb: RefObject<RFB | null>;
  /** The last frame of the connection that ended before, as a data URL. */
  lastFrame: string | undefined;
}

/** A VM's screen that reconnects by itself. noVNC is loaded when it is first shown. */
export function useVnc({ vmId, label, target, isWanted, isScaled, news }: VncOptions): Vnc {
  const rfb = useRef<RFB>(null);
  const wasFocused = useRef(false);
  const [lastFrame, setLastFrame] = useState<string>();

  const attempt = useCallback<Attempt>(
    ({ connected, lost, denied }) => {
      let viewer: RFB | undefined;
      let socket: WebSocket | undefined;
      let isEnded = false;

      const open = (Viewer: typeof RFB) => {
        if (isEnded) return;
        socket = openConsoleSocket(vmId, "vnc", {
          opened(opened) {
            if (isEnded || !target.current) return;
            viewer = new Viewer(target.current, opened, { shared: true });
            const current = viewer;
            current.background = "transparent";
            current.addEventListener("disconnect", () => {
              viewer = undefined;
            });
            current.addEventListener("connect", () => {
              rfb.current = current;
              if (wasFocused.current && document.activeElement === document.body) current.focus();
              connected();
            });
          },
          closed: keepFrame,
          lost,
          denied,
        });
      };
      /** noVNC takes its canvas away at the end; the picture and the focus are to survive that. */
      const keepFrame = () => {
        if (rfb.current === null || rfb.current !== viewer) return;
        wasFocused.current = target.current?.contains(document.activeElement) ?? false;
        setLastFrame(viewer.toDataURL());
        rfb.current = null;
      };

      import("@novnc/novnc").then(({ default: Viewer }) => open(Viewer), lost);
      return () => {
        isEnded = true;
        keepFrame();
        viewer?.disconnect();
        socket?.close();
      };
    },
    [vmId, target],
  );

  const [connection, retryNow] = useKeptConnection(isWanted ? attempt : null, news);

  useEffect(() => {
    if (connection.kind === "connected" && rfb.current) rfb.current.scaleViewport = isScaled;
  }, [connection, isScaled]);

  useEffect(() => {
    const canvas = connection.kind === "connected" ? target.current?.querySelector("canvas") : undefined;
    if (!canvas) return;
    // An application, so that screen readers hand keys on; reachable by Tab, which noVNC's own canvas isn't.
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", label);
    canvas.tabIndex = 0;
  }, [connection, label, target]);

  return { connection, retryNow, rfb, lastFrame };
}
