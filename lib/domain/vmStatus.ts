/**
 * The states of a VM. Intent is stored (`desired`, written by use cases) and so is observation (`observed`, written by the converger);
 * what people see is derived from the two and never stored.
 *
 *     desired    running | stopped | deleted
 *     observed   absent | stopped | running | paused | crashed | unresponsive
 *     status     creating starting running stopping stopped paused deleting failed unreachable
 *
 * Invariants: a status of `running` or `paused` was observed within `staleAfterMs`; `failed` always comes with a reason.
 */
export const desiredStates = ["running", "stopped", "deleted"] as const;
export type Desired = (typeof desiredStates)[number];

export const observedStates = ["absent", "stopped", "running", "paused", "crashed", "unresponsive"] as const;
export type Observed = (typeof observedStates)[number];

export const vmStatuses = [
  "creating",
  "starting",
  "running",
  "stopping",
  "stopped",
  "paused",
  "deleting",
  "failed",
  "unreachable",
] as const;
export type VmStatus = (typeof vmStatuses)[number];

/** After this long without an observation from the host, what was seen last is no longer claimed. */
export const staleAfterMs = 20_000;

export interface StatusInput {
  desired: Desired;
  observed: Observed;
  /** Milliseconds since the epoch; null before the first observation. */
  observedAtMs: number | null;
  nowMs: number;
  /** Why the last attempt to reach the desired state failed for good; null while it is under way or done. */
  lastError: string | null;
  /** Whether what is wanted was reached, or given up, once since it was last asked for. */
  isSettled: boolean;
  /** Whether it ran at least once: before that, "starting" is "creating". */
  hasRun: boolean;
}

/** What people see. Pure. */
export function vmStatus(input: StatusInput): VmStatus {
  const { desired, observed, observedAtMs, nowMs, lastError, isSettled, hasRun } = input;
  if (lastError !== null) return "failed";
  if (desired === "deleted") return "deleting";
  const isStale = observedAtMs !== null && nowMs - observedAtMs > staleAfterMs;
  if (isStale || observed === "unresponsive") return "unreachable";
  if (desired === "stopped") return observed === "stopped" || observed === "absent" ? "stopped" : "stopping";
  if (observed === "running") return "running";
  if (observed === "paused") return "paused";
  // A crash of before the present intent is what the start that was asked for will mend.
  if (observed === "crashed" && isSettled) return "failed";
  return hasRun ? "starting" : "creating";
}

/** Acts on a VM that a person or client may ask for. */
export const vmActions = [
  "start",
  "stop",
  "shutdown",
  "reboot",
  "reset",
  "pause",
  "resume",
  "resize",
  "destroy",
] as const;
export type VmAction = (typeof vmActions)[number];

/**
 * In which statuses an act is allowed. The button's disabled reason, the text of the 409 and the tests read this one table.
 * `start` of a running VM and `stop` of a stopped one are no error: they change nothing.
 */
export const vmActionStatuses: Record<VmAction, readonly VmStatus[]> = {
  start: ["stopped", "failed", "stopping", "running", "starting", "creating"],
  stop: ["running", "paused", "starting", "creating", "failed", "unreachable", "stopping", "stopped"],
  shutdown: ["running", "stopping"],
  reboot: ["running"],
  reset: ["running", "paused"],
  pause: ["running"],
  resume: ["paused"],
  resize: ["stopped"],
  destroy: ["creating", "starting", "running", "stopping", "stopped", "paused", "failed", "unreachable", "deleting"],
};

/** Why an act is not allowed in a status, as a sentence; undefined when it is allowed. */
export function whyNot(action: VmAction, status: VmStatus): string | undefined {
  const allowed = vmActionStatuses[action];
  if (allowed.includes(status)) return undefined;
  return `A VM that is ${status} can't be asked to ${action}: it must be ${listOf(allowed)}.`;
}

/** "running, paused or stopped". */
export function listOf(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
