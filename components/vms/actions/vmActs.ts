import { type LucideIcon, Pause, Play, Power, RotateCcw, RotateCw, Square } from "lucide-react";
import { defaultShutdownDeadlineSeconds } from "../../../lib/domain/vm";
import type { VmAction } from "../../../lib/domain/vmStatus";

/** The acts that are one `POST /api/vms/{id}/{act}` without a body. */
export type PowerAct = Exclude<VmAction, "resize" | "destroy">;

export interface VmAct {
  label: string;
  /** What it does, for whoever hovers. */
  explanation: string;
  icon: LucideIcon;
  /** The key on the VM's page; the hard acts need Shift. Two acts that are never allowed together may share one. */
  shortcut: string;
}

export const vmActs: Record<PowerAct, VmAct> = {
  start: { label: "Start", explanation: "Turn it on.", icon: Play, shortcut: "s" },
  shutdown: {
    label: "Shut down",
    explanation: `Press its power button: the guest saves its work and turns itself off. If it still runs after ${defaultShutdownDeadlineSeconds} s it is powered off, and what it hasn't written is lost.`,
    icon: Power,
    shortcut: "h",
  },
  stop: {
    label: "Stop",
    explanation: "Power off at once, like pulling the plug: what the guest hasn't written to its disk is lost.",
    icon: Square,
    shortcut: "Shift+s",
  },
  reboot: {
    label: "Reboot",
    explanation: `Ask the guest to restart. If it hasn't after ${defaultShutdownDeadlineSeconds} s it is reset, and what it hasn't written is lost.`,
    icon: RotateCw,
    shortcut: "r",
  },
  reset: {
    label: "Reset",
    explanation: "Restart at once, like the reset button: what the guest hasn't written to its disk is lost.",
    icon: RotateCcw,
    shortcut: "Shift+r",
  },
  pause: { label: "Pause", explanation: "Freeze it where it is; its memory stays taken.", icon: Pause, shortcut: "p" },
  resume: { label: "Resume", explanation: "Let it go on where it was.", icon: Play, shortcut: "p" },
};
