import type { Observation } from "./machine";
import type { Desired } from "./vmStatus";

/** The part of a VM's row that decides what comes next. */
export interface Intent {
  desired: Desired;
  stopMode: "power-off" | "acpi";
  stopDeadlineAtMs: number | null;
  generation: number;
  settledGeneration: number;
  lastError: string | null;
  /** Whether a disk was made for it once. */
  hasDisk: boolean;
  /** Whether long work of the host has the VM: its disk is being replaced, or what it starts from is being made. */
  isHeld: boolean;
  /** The ISO that is to lie in its CD-ROM drive. */
  cdromSha256: string | null;
}

/** An act that happens once, waiting for its turn. */
export interface PendingAct {
  operationId: number;
  kind: "reboot" | "reset" | "pause" | "resume" | "change-media" | "change-interfaces";
  bootCountBefore: number;
}

export type Step =
  /** Nothing to do until something changes. */
  | { kind: "none" }
  /** Nothing to do before this time. */
  | { kind: "wait"; untilMs: number }
  /** The present generation is reached: record it. */
  | { kind: "settle" }
  /** The guest turned itself off: from now on that is what is wanted. */
  | { kind: "accept-guest-shutdown" }
  /** The guest ejected its CD: from now on the drive is to be empty. */
  | { kind: "accept-guest-eject" }
  | { kind: "ensure-and-start" }
  /** Its folder is gone from the host: a new empty disk in its place would hide the loss. */
  | { kind: "report-lost-disk" }
  | { kind: "shutdown" }
  | { kind: "stop" }
  | { kind: "remove" }
  | { kind: "finish-delete" }
  /** The act was carried out: record it. */
  | { kind: "finish-act"; operationId: number }
  /** The VM stopped, crashed or failed before the act was carried out: record that. */
  | { kind: "fail-act"; operationId: number }
  /** There is no machine yet that could be changed: its first start makes it as it is wanted. */
  | { kind: "leave-change-to-start"; operationId: number }
  | { kind: "act"; act: PendingAct };

/**
 * The one step that brings a VM closer to what is wanted, from what is wanted and what was seen. Pure, so that clicks, retries, crashes and drift
 * all take this path.
 *
 *     wanted    seen                        step
 *     deleted   absent                      finish-delete
 *     deleted   anything else               remove
 *     the rest  anything, while held        none: stopped and started in the middle of a restore it would boot from half a disk
 *     the rest  there, and settled          the change of its CD-ROM drive that waits; accept-guest-eject for one that nobody asked for
 *     the rest  never made, and settled     leave-change-to-start for the change that waits
 *     the rest  settled, and failed for     fail-act for acts of power that wait; then none
 *               good, crashed or to be off
 *     running   absent, stopped             ensure-and-start (after the guest's own power-off in this generation: accept-guest-shutdown)
 *     running   absent, but had a disk      report-lost-disk
 *     running   crashed                     ensure-and-start once for each generation, so that a crash is not hidden by a loop
 *     running   running, paused             settle; then acts that wait
 *     stopped   absent, stopped             settle
 *     stopped   crashed, unresponsive       stop
 *     stopped   running, paused             stop; with ACPI: shutdown, and stop at the deadline
 */
export function nextStep(intent: Intent, seen: Observation, act: PendingAct | null, nowMs: number): Step {
  const isSettled = intent.settledGeneration === intent.generation;
  if (intent.desired === "deleted") return seen.state === "absent" ? { kind: "finish-delete" } : { kind: "remove" };
  if (intent.isHeld) return { kind: "none" };
  if (isSettled && seen.state !== "absent" && seen.state !== "unresponsive") {
    if (act && isChange(act)) return { kind: "act", act };
    if (intent.cdromSha256 !== null && seen.cdromSha256 === null) return { kind: "accept-guest-eject" };
  }
  if (isSettled && seen.state === "absent" && !intent.hasDisk && act && isChange(act)) {
    return { kind: "leave-change-to-start", operationId: act.operationId };
  }
  if (isSettled && intent.lastError !== null) return endOfAct(act, seen);
  return intent.desired === "running"
    ? stepToRunning(intent, isSettled, seen, act)
    : stepToStopped(intent, isSettled, seen, act, nowMs);
}

function isChange({ kind }: PendingAct): boolean {
  return kind === "change-media" || kind === "change-interfaces";
}

function stepToRunning(intent: Intent, isSettled: boolean, seen: Observation, act: PendingAct | null): Step {
  switch (seen.state) {
    case "absent":
      return intent.hasDisk ? { kind: "report-lost-disk" } : { kind: "ensure-and-start" };
    case "stopped":
      return isSettled && seen.stoppedBy === "guest" ? { kind: "accept-guest-shutdown" } : { kind: "ensure-and-start" };
    case "crashed":
      return isSettled ? endOfAct(act, seen) : { kind: "ensure-and-start" };
    case "unresponsive":
      return { kind: "none" };
    case "running":
    case "paused":
      if (!isSettled) return { kind: "settle" };
      return act ? stepOfAct(act, seen) : { kind: "none" };
  }
}

function stepOfAct(act: PendingAct, seen: Observation): Step {
  if (isDone(act, seen)) return { kind: "finish-act", operationId: act.operationId };
  const isUnderWay = act.kind === "reboot" && seen.pendingAct === "reboot";
  return isUnderWay ? { kind: "none" } : { kind: "act", act };
}

/** For a VM on which no act of power can be carried out any more. A change waits for the machine that it is of. */
function endOfAct(act: PendingAct | null, seen: Observation): Step {
  if (act === null || isChange(act)) return { kind: "none" };
  return { kind: isDone(act, seen) ? "finish-act" : "fail-act", operationId: act.operationId };
}

function isDone(act: PendingAct, seen: Observation): boolean {
  return {
    reboot: seen.bootCount > act.bootCountBefore,
    reset: seen.bootCount > act.bootCountBefore,
    pause: seen.state === "paused",
    resume: seen.state === "running",
    // Done, and recorded as done, in one go.
    "change-media": false,
    "change-interfaces": false,
  }[act.kind];
}

function stepToStopped(
  intent: Intent,
  isSettled: boolean,
  seen: Observation,
  act: PendingAct | null,
  nowMs: number,
): Step {
  switch (seen.state) {
    case "absent":
    case "stopped":
      return isSettled ? endOfAct(act, seen) : { kind: "settle" };
    case "crashed":
    case "unresponsive":
      return { kind: "stop" };
    case "running":
    case "paused": {
      const deadlineMs = intent.stopMode === "acpi" ? (intent.stopDeadlineAtMs ?? 0) : 0;
      if (nowMs >= deadlineMs || seen.state === "paused") return { kind: "stop" };
      return seen.pendingAct === "shutdown" ? { kind: "wait", untilMs: deadlineMs } : { kind: "shutdown" };
    }
  }
}
