"use client";

import { AppWindow, Camera, ClipboardPaste, Expand, Maximize, Minimize, Shrink } from "lucide-react";
import type { ReactNode, RefObject } from "react";
import { Button } from "../../ui/Button";
import { buttonClass } from "../../ui/buttonClass";
import { IconButton } from "../../ui/IconButton";
import { Tooltip } from "../../ui/Tooltip";
import { KeysMenu } from "./KeysMenu";
import type { KeyCombo } from "./keyCombos";

interface VncToolbarProps {
  vmId: number;
  vmName: string;
  status: ReactNode;
  /** Gets the focus when the user leaves the screen. */
  pasteButton: RefObject<HTMLButtonElement | null>;
  /** Why no keys can be sent now. */
  disabledReason: string | undefined;
  onSend: (combo: KeyCombo) => void;
  isPasteOpen: boolean;
  onPaste: () => void;
  isScaled: boolean;
  onScale: () => void;
  fullScreen: { isSupported: boolean; isOn: boolean; toggle(): Promise<void> };
  /** Absent where the console has a window of its own already. */
  onOwnWindow: (() => void) | undefined;
  touchKeyboard: ReactNode;
}

export function VncToolbar(props: VncToolbarProps) {
  const { vmId, vmName, disabledReason, isScaled, fullScreen, onOwnWindow } = props;
  return (
    <div
      role="toolbar"
      aria-label="Console"
      className="flex min-h-10 flex-wrap items-center gap-1 border-line border-b bg-surface px-2 py-1"
    >
      <div className="mr-auto px-1">{props.status}</div>
      {props.touchKeyboard}
      <KeysMenu onSend={props.onSend} disabledReason={disabledReason} />
      <Button
        ref={props.pasteButton}
        variant="ghost"
        size="sm"
        icon={<ClipboardPaste aria-hidden />}
        aria-expanded={props.isPasteOpen}
        onClick={props.onPaste}
      >
        Paste text
      </Button>
      <IconButton
        label={isScaled ? "Show at actual size" : "Fit to the window"}
        icon={isScaled ? <Expand aria-hidden /> : <Shrink aria-hidden />}
        onClick={props.onScale}
      />
      <Tooltip content="Save a screenshot">
        <a
          href={`/api/vms/${vmId}/screenshot`}
          download={`${vmName}.png`}
          aria-label="Save a screenshot"
          className={buttonClass("ghost", "icon")}
        >
          <Camera aria-hidden />
        </a>
      </Tooltip>
      {onOwnWindow ? (
        <IconButton label="Open in its own window" icon={<AppWindow aria-hidden />} onClick={onOwnWindow} />
      ) : null}
      {fullScreen.isSupported ? (
        <IconButton
          label={fullScreen.isOn ? "Leave full screen" : "Full screen"}
          icon={fullScreen.isOn ? <Minimize aria-hidden /> : <Maximize aria-hidden />}
          onClick={() => void fullScreen.toggle()}
        />
      ) : null}
    </div>
  );
}
