import type { ReachabilityCheck } from "../../domain/hostNetwork";
import type { Observation } from "../../domain/machine";

/** A check that found nothing wrong. */
export function ok(name: ReachabilityCheck["name"], message: string): ReachabilityCheck {
  return { name, outcome: "ok", message, fix: null };
}

/** One that can't tell, and keeps nobody from checking on. */
export function unknown(name: ReachabilityCheck["name"], message: string): ReachabilityCheck {
  return { name, outcome: "unknown", message, fix: null };
}

/** One that found why the VM can't be reached. @param fix what to do about it */
export function failed(name: ReachabilityCheck["name"], message: string, fix: string): ReachabilityCheck {
  return { name, outcome: "failed", message, fix };
}

/** What is found of an interface that a VM is to have and hasn't. Pure. */
export function unpluggedChecks(seen: Parameters<typeof runningCheck>[0], interfaceId: string): ReachabilityCheck[] {
  const running = runningCheck(seen);
  if (running.outcome === "failed") return [running];
  const message = `The interface ${interfaceId} is not plugged into the VM.`;
  const fix =
    "Wait a moment while it is plugged in, or stop the VM and start it again. With a user-mode network the VM has its first interface alone: reach it there.";
  return [running, failed("interface", message, fix)];
}

/** Whether a VM runs, which everything else about it waits for. Pure. */
export function runningCheck({ state, reason }: Pick<Observation, "state" | "reason">): ReachabilityCheck {
  if (state === "running") return ok("running", "The VM runs.");
  // The reason of one that nobody paused says what it waits for.
  if (state === "paused") return failed("running", "The VM is paused.", reason ?? "Resume it.");
  if (state === "unresponsive") {
    return failed(
      "running",
      "The VM's QEMU doesn't answer.",
      "Wait a moment; if it stays so, stop the VM and start it.",
    );
  }
  return failed("running", "The VM doesn't run.", "Start the VM.");
}
