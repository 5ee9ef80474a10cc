/**
 * Named places in the code where a test ends a process with SIGKILL to prove that the steps around it survive. The list is what the
 * fault tests walk, so that a new place without a test can't exist: `failpoint()` takes only these names.
 */
export const consoleFailpoints = [
  "create.before-commit",
  "create.committed",
  "converge.observed",
  "converge.before-ensure",
  "converge.ensured",
  "converge.started",
  "start.committed",
  "stop.committed",
  "converge.before-stop",
  "converge.stopped",
  "destroy.committed",
  "converge.before-remove",
  "converge.removed",
] as const;

export const agentFailpoints = [
  "agent.ensure.folder-made",
  "agent.ensure.disk-made",
  "agent.ensure.seed-made",
  "agent.start.before-spawn",
  "agent.start.spawned",
  "agent.start.running",
  "agent.stop.intent-written",
  "agent.stop.quit-sent",
  "agent.stop.gone",
  "agent.remove.stopped",
  "agent.remove.half-removed",
] as const;

export type Failpoint = (typeof consoleFailpoints)[number] | (typeof agentFailpoints)[number];

/** Ends this process at once, as a crash would, when `CUMULUS_FAILPOINT` names this place. */
export function failpoint(name: Failpoint): void {
  if (process.env.CUMULUS_FAILPOINT === name) process.kill(process.pid, "SIGKILL");
}
