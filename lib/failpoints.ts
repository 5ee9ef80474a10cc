import { existsSync, readFileSync, rmSync } from "node:fs";

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

export const taskFailpoints = [
  "snapshot.committed",
  "restore.committed",
  "snapshot-remove.committed",
  "clone.committed",
  "task.asked",
  "task.before-end",
  "task.ended",
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

export const snapshotFailpoints = [
  "agent.snapshot.overlay-made",
  "agent.snapshot.cut-written",
  "agent.snapshot.frozen",
  "agent.snapshot.copying",
  "agent.snapshot.held",
  "agent.snapshot.switched",
  "agent.snapshot.resumed",
  "agent.snapshot.layer-written",
  "agent.snapshot.layer-moved",
  "agent.snapshot.before-complete",
  "agent.snapshot.complete",
  "agent.restore.disk-made",
  "agent.restore.stopped",
  "agent.restore.switched",
  "agent.restore.started",
  "agent.snapshot-remove.renamed",
  "agent.merge.written",
  "agent.merge.replaced",
  "agent.merge.unlinked",
] as const;

/** Of long tasks that make or move images. */
export const imageFailpoints = [
  "agent.task.written",
  "agent.task.worked",
  "agent.task.end-written",
  "agent.work.folder-made",
  "agent.download.begun",
  "agent.download.received",
  "agent.upload.receiving",
  "agent.upload.received",
  "agent.intake.expanded",
  "agent.intake.converted",
  "agent.install.staged",
  "agent.install.moved",
  "agent.install.variables-kept",
  "agent.install.described",
  "agent.image-remove.undescribed",
  "agent.build.made",
  "agent.recipe.overlay-made",
  "agent.recipe.changed",
  "agent.recipe.flattened",
  "agent.export.written",
  "agent.export.moved",
  "agent.archive.packed",
  "agent.archive.moved",
  "agent.import.unpacked",
  "agent.backup.kept",
  "agent.backup.verified",
  "agent.backup-restore.fetched",
  "agent.backup-remove.removed",
] as const;

export type Failpoint =
  | (typeof consoleFailpoints)[number]
  | (typeof taskFailpoints)[number]
  | (typeof agentFailpoints)[number]
  | (typeof snapshotFailpoints)[number]
  | (typeof imageFailpoints)[number];

/**
 * Ends a process at once, as a crash would, when the file that `CUMULUS_FAILPOINT_FILE` names says `<this place> <pid>`. The file is removed first: a
 * process ends once, and who armed the place sees that it was come to.
 */
export function failpoint(name: Failpoint): void {
  const file = process.env.CUMULUS_FAILPOINT_FILE;
  if (file === undefined || !existsSync(file)) return;
  const [armed, pid] = readFileSync(file, "utf8").split(" ");
  if (armed !== name) return;
  rmSync(file);
  process.kill(Number(pid), "SIGKILL");
}
