import type { VmStatus } from "../../../lib/domain/vmStatus";
import type { Tone } from "../../ui/tone";

export interface StatusLook {
  tone: Tone;
  /** Something is under way. */
  moving: boolean;
  /** What is shown was not observed. */
  hollow: boolean;
  word: string;
}

const look = (word: string, tone: Tone, kind?: "moving" | "hollow"): StatusLook => ({
  word,
  tone,
  moving: kind === "moving",
  hollow: kind === "hollow",
});

/** A status as the dashboard draws it. Never colour alone: the word says the same. */
export const statusLook: Record<VmStatus, StatusLook> = {
  creating: look("Creating", "info", "moving"),
  starting: look("Starting", "info", "moving"),
  running: look("Running", "ok"),
  stopping: look("Stopping", "info", "moving"),
  stopped: look("Stopped", "neutral"),
  paused: look("Paused", "warn"),
  deleting: look("Deleting", "bad", "moving"),
  failed: look("Failed", "bad"),
  unreachable: look("Unreachable", "neutral", "hollow"),
};
