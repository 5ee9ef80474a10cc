import type { ProcessEnd } from "./process";

export interface RunState {
  /** `off`: the guest powered itself off and QEMU waits. `broken`: the guest can't go on. */
  kind: "running" | "paused" | "off" | "broken";
  reason: string | null;
}

const known: Record<string, RunState> = {
  running: { kind: "running", reason: null },
  paused: { kind: "paused", reason: null },
  // After its memory was sent away whole: it goes on when it is told to.
  postmigrate: { kind: "paused", reason: null },
  suspended: { kind: "paused", reason: "The guest put itself to sleep; resume wakes it." },
  "io-error": {
    kind: "paused",
    reason: "The disk of the host is full. The VM waits and goes on by itself when there is space again.",
  },
  shutdown: { kind: "off", reason: null },
  "internal-error": {
    kind: "broken",
    reason: "The processor's virtualization gave up on this guest (QEMU: internal error).",
  },
  "guest-panicked": { kind: "broken", reason: "The guest's kernel panicked." },
};

/** What a run state of QEMU's (RunState in qapi/run-state.json) means. */
export function runStateOf(status: string): RunState {
  return known[status] ?? { kind: "paused", reason: `QEMU holds the guest (${status}).` };
}

/**
 * Why a QEMU that should have run is gone, for people.
 * @param wasSignalled whether QEMU said that it ends because of a signal
 */
export function reasonOfEnd(end: ProcessEnd | null, wasSignalled: boolean): string {
  if (end?.signal === "SIGKILL") {
    return "QEMU was ended by signal SIGKILL: by someone on this host, or by its kernel for want of memory.";
  }
  if (end?.signal) return `QEMU was ended by signal ${end.signal}.`;
  if (wasSignalled) return "QEMU was told to end by a signal from outside Cumulus.";
  if (end?.exitCode) return `QEMU ended by itself with exit status ${end.exitCode}.`;
  return "QEMU ended unexpectedly.";
}
