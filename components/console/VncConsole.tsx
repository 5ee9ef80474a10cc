"use client";

import { usePathname } from "next/navigation";
import { useRef, useState } from "react";
import type { VmStatus } from "../../lib/domain/vmStatus";
import { cx } from "../ui/cx";
import { useIsLong } from "../ui/useIsLong";
import { ConnectionStatus } from "./connection/ConnectionStatus";
import { connectionLook, consoleNotice } from "./connection/consoleWords";
import { Notice } from "./connection/Notice";
import { leaveKeys, useLeaveKeys } from "./connection/useLeaveKeys";
import { type KeyCombo, releaseModifiers, sendCombo } from "./vnc/keyCombos";
import { LastScreen } from "./vnc/LastScreen";
import { PastePanel } from "./vnc/PastePanel";
import { TouchKeyboard } from "./vnc/TouchKeyboard";
import { useFullScreen } from "./vnc/useFullScreen";
import { useVnc } from "./vnc/useVnc";
import { VncToolbar } from "./vnc/VncToolbar";

interface VncConsoleProps {
  vmId: number;
  vmName: string;
  status: VmStatus;
}

/** Statuses in which QEMU may have a screen. */
const statusesWithScreen: readonly VmStatus[] = ["starting", "running", "paused", "stopping", "unreachable"];

/** A VM's screen and keyboard. Fills its parent. */
export function VncConsole({ vmId, vmName, status }: VncConsoleProps) {
  const target = useRef<HTMLDivElement>(null);
  const pasteButton = useRef<HTMLButtonElement>(null);
  const [isScaled, setScaled] = useState(true);
  const [isPasteOpen, setPasteOpen] = useState(false);
  const [hasFocus, setFocus] = useState(false);
  const fullScreen = useFullScreen();
  const label = `Screen of ${vmName}`;
  const isWanted = statusesWithScreen.includes(status);
  const { connection, retryNow, rfb, lastFrame } = useVnc({ vmId, label, target, isWanted, isScaled, news: status });
  const leave = useLeaveKeys(() => pasteButton.current?.focus());

  const isConnected = connection.kind === "connected";
  const isLong = useIsLong(isWanted && !isConnected);
  const notice = consoleNotice(vmName, status, connection, isLong);
  const disabledReason = isConnected ? undefined : `The console of ${vmName} isn't connected.`;
  const windowPath = `/vms/${vmId}/window`;
  const isOwnWindow = usePathname() === windowPath;

  const send = (combo: KeyCombo) => {
    if (rfb.current) sendCombo(rfb.current, combo);
  };
  const closePaste = (isDone: boolean) => {
    setPasteOpen(false);
    if (isDone) rfb.current?.focus();
    else pasteButton.current?.focus();
  };

  return (
    <section
      aria-label={`Console of ${vmName}`}
      className={cx("flex min-h-0 flex-col", fullScreen.isOn ? "fixed inset-0 z-30 bg-canvas" : "size-full")}
    >
      <VncToolbar
        vmId={vmId}
        vmName={vmName}
        status={
          <ConnectionStatus
            look={connectionLook(status, connection.kind)}
            extra={hasFocus && isConnected ? `${leaveKeys} takes the keyboard back` : ""}
          />
        }
        pasteButton={pasteButton}
        disabledReason={disabledReason}
        onSend={send}
        isPasteOpen={isPasteOpen}
        onPaste={() => setPasteOpen(!isPasteOpen)}
        isScaled={isScaled}
        onScale={() => setScaled(!isScaled)}
        fullScreen={fullScreen}
        onOwnWindow={
          isOwnWindow
            ? undefined
            : () => window.open(windowPath, `cumulus-console-${vmId}`, "popup,width=1040,height=860")
        }
        touchKeyboard={<TouchKeyboard vmName={vmName} getSender={() => rfb.current} />}
      />
      <div className="relative min-h-0 flex-1 bg-sunken">
        {isConnected ? null : (
          <div className="absolute inset-0">
            <LastScreen key={status} vmId={vmId} vmName={vmName} frame={lastFrame} />
          </div>
        )}
        <div
          ref={target}
          data-captures-keys
          className={cx(
            "absolute inset-0",
            hasFocus && isConnected && "outline-2 outline-accent-ink -outline-offset-2",
          )}
          {...leave}
          onFocusCapture={() => setFocus(true)}
          onBlurCapture={() => {
            leave.onBlurCapture();
            setFocus(false);
            if (rfb.current) releaseModifiers(rfb.current);
          }}
        />
        {notice ? (
          <div className="pointer-events-none absolute inset-0 flex items-center justify-center p-4 *:pointer-events-auto">
            <Notice vmId={vmId} notice={notice} onRetry={retryNow} layout="card" />
          </div>
        ) : null}
        {isPasteOpen ? (
          <PastePanel vmId={vmId} vmName={vmName} disabledReason={disabledReason} onClose={closePaste} />
        ) : null}
      </div>
    </section>
  );
}
