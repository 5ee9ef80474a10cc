"use client";

import { useRef, useState } from "react";
import type { VmStatus } from "../../lib/domain/vmStatus";
import { cx } from "../ui/cx";
import { useIsLong } from "../ui/useIsLong";
import { ConnectionStatus } from "./connection/ConnectionStatus";
import { connectionLook, consoleNotice } from "./connection/consoleWords";
import { Notice } from "./connection/Notice";
import { leaveKeys, useLeaveKeys } from "./connection/useLeaveKeys";
import { SerialToolbar } from "./serial/SerialToolbar";
import { useSerial } from "./serial/useSerial";

interface SerialConsoleProps {
  vmId: number;
  vmName: string;
  status: VmStatus;
}

/** A VM's serial line: the log since its first boot, then a live terminal. Fills its parent. */
export function SerialConsole({ vmId, vmName, status }: SerialConsoleProps) {
  const target = useRef<HTMLDivElement>(null);
  const firstButton = useRef<HTMLButtonElement>(null);
  const [hasFocus, setFocus] = useState(false);
  const isWanted = status !== "deleting";
  const label = `Serial console of ${vmName}`;
  const { connection, retryNow, terminal, send } = useSerial({ vmId, label, target, isWanted, news: status });
  const leave = useLeaveKeys(() => firstButton.current?.focus());

  const isConnected = connection.kind === "connected";
  const isLong = useIsLong(isWanted && !isConnected);
  const notice = consoleNotice(vmName, status, connection, isLong);
  const disabledReason = isConnected && status === "running" ? undefined : `${vmName} takes no input now.`;

  return (
    <section aria-label={label} className="flex size-full min-h-0 flex-col">
      <SerialToolbar
        vmName={vmName}
        status={
          <ConnectionStatus
            look={connectionLook(status, connection.kind)}
            extra={hasFocus ? `${leaveKeys} takes the keyboard back` : ""}
          />
        }
        terminal={terminal}
        firstButton={firstButton}
        disabledReason={disabledReason}
        send={send}
      />
      <div
        className={cx(
          "relative min-h-0 flex-1 bg-[light-dark(#ffffff,#101114)] p-2",
          hasFocus && "outline-2 outline-accent-ink -outline-offset-2",
        )}
      >
        <div
          ref={target}
          data-captures-keys
          className="size-full font-mono"
          {...leave}
          onFocusCapture={() => setFocus(true)}
          onBlurCapture={() => {
            leave.onBlurCapture();
            setFocus(false);
          }}
        />
      </div>
      {notice ? <Notice vmId={vmId} notice={notice} onRetry={retryNow} layout="strip" /> : null}
    </section>
  );
}
