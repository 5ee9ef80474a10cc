import { and, eq, isNotNull, lte, or } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { backupPolicies, backups } from "../../db/schema/backups";
import { vms } from "../../db/schema/vms";
import { type BackupTier, backupTiers, runName } from "../../domain/backupPolicy";
import { CumulusError } from "../../domain/errors";
import { staleAfterMs } from "../../domain/vmStatus";
import { announce } from "../changes";
import { type Context, systemActor } from "../context";
import { freeSnapshotName } from "../snapshots/names";
import { requestSnapshot, withSnapshotNameTaken } from "../snapshots/take";
import type { VmRow } from "../vms/view";
import { attempt } from "./attempt";
import { dueTimes } from "./policies";
import { accessOf } from "./repositories";

type PolicyRow = typeof backupPolicies.$inferSelect;

/** How long a VM is waited for that is in no state to be backed up. */
const patienceMs = 60 * 60_000;

/**
 * Asks for the snapshots that are due. Runs that were missed, while the installation was off say, are caught up once; one that can't be asked for is noted as
 * failed, and so is one of a VM that is in no state for it for an hour.
 */
export async function takeDueBackups(context: Context): Promise<void> {
  const now = new Date();
  const due = await context.db.select({ vmId: backupPolicies.vmId }).from(backupPolicies).where(isDue(now));
  for (const { vmId } of due) {
    const reason = await attempt(context, { vmId }, () => takeOrPutOff(context, vmId, now));
    if (reason === null) continue;
    await attempt(context, { vmId }, () => context.db.transaction((tx) => noteFailedRuns(tx, vmId, now, reason)));
  }
}

async function takeOrPutOff(context: Context, vmId: number, now: Date): Promise<void> {
  try {
    await context.db.transaction((tx) => takeDueOf(tx, vmId, now));
  } catch (err) {
    // The VM is on its way from one state to another: it stays due, and is looked at again in a minute.
    const isForLater = err instanceof CumulusError && (err.code === "wrong_state" || err.code === "conflict");
    if (!isForLater) throw err;
    const stuck = err.code === "wrong_state" ? await stuckTiers(context.db, vmId, now) : [];
    if (stuck.length === 0) return context.log.info({ vmId, err }, "a backup is put off");
    context.log.error({ vmId, err, tiers: stuck }, "a backup has waited for too long");
    await context.db.transaction((tx) => noteFailedRuns(tx, vmId, now, err.message, stuck));
  }
}

/** Of which tiers the run that is due has waited for too long, while the VM has stayed as it is. Of one that its host tells nothing of nobody knows. */
async function stuckTiers(db: Queryable, vmId: number, now: Date): Promise<BackupTier[]> {
  const [found] = await db
    .select({ vm: vms, row: backupPolicies })
    .from(vms)
    .innerJoin(backupPolicies, eq(backupPolicies.vmId, vms.id))
    .where(eq(vms.id, vmId));
  if (!found) return [];
  const { observedAt, observedSince, intentAt } = found.vm;
  const isSeen = observedAt !== null && now.getTime() - observedAt.getTime() <= staleAfterMs;
  if (!isSeen) return [];
  const waitedMs = (dueAt: Date) => now.getTime() - Math.max(...[observedSince, intentAt, dueAt].map(Number));
  return dueRuns(found.row, now).flatMap(({ tier, dueAt }) => (waitedMs(dueAt) > patienceMs ? [tier] : []));
}

/** A VM's policy that is due, and the VM. The VM is held first, as by whoever destroys it. */
async function lockDue(tx: Queryable, vmId: number, now: Date): Promise<{ vm: VmRow; row: PolicyRow } | undefined> {
  const [vm] = await tx.select().from(vms).where(eq(vms.id, vmId)).for("update");
  const [row] = await tx
    .select()
    .from(backupPolicies)
    .where(and(eq(backupPolicies.vmId, vmId), isDue(now)))
    .for("update", { skipLocked: true });
  return vm && row && { vm, row };
}

async function takeDueOf(tx: Queryable, vmId: number, now: Date): Promise<void> {
  const due = await lockDue(tx, vmId, now);
  if (!due) return;
  const { vm, row } = due;
  if (vm.deletedAt !== null || vm.desired === "deleted") {
    await tx.delete(backupPolicies).where(eq(backupPolicies.vmId, vmId));
    return;
  }
  await takeTiers(tx, vm, row, now);
  await tx.update(backupPolicies).set(dueTimes(row.policy, now)).where(eq(backupPolicies.vmId, vmId));
}

async function takeTiers(tx: Queryable, vm: VmRow, row: PolicyRow, now: Date): Promise<void> {
  const { repository } = row.policy;
  if (repository !== null) await accessOf(tx, repository, "repository");
  for (const { tier, dueAt } of dueRuns(row, now)) {
    const name = await freeSnapshotName(tx, vm.id, runName(row.policy, tier, dueAt, now));
    const { snapshot } = await withSnapshotNameTaken(name, () =>
      requestSnapshot(tx, systemActor, vm, { name, origin: "schedule" }),
    );
    await tx.insert(backups).values({
      vmId: vm.id,
      tier,
      dueAt,
      snapshotId: snapshot.id,
      repositoryId: repository,
      actor: systemActor.name,
    });
  }
  await announce(tx, { kind: "backup", id: vm.id, vmId: vm.id });
}

/** People see that there was a run, and why there is no backup of it; the next one is another try. */
async function noteFailedRuns(
  tx: Queryable,
  vmId: number,
  now: Date,
  reason: string,
  tiers: readonly BackupTier[] = backupTiers,
): Promise<void> {
  const due = await lockDue(tx, vmId, now);
  if (!due) return;
  const { row } = due;
  const error = `It could not be made. ${reason}`;
  for (const run of dueRuns(row, now)) {
    if (!tiers.includes(run.tier)) continue;
    await tx
      .insert(backups)
      .values({ vmId, ...run, error, actor: systemActor.name })
      .onConflictDoNothing();
  }
  const next = dueTimes(row.policy, now);
  await tx
    .update(backupPolicies)
    .set({
      ...(tiers.includes("hourly") && { hourlyAt: next.hourlyAt }),
      ...(tiers.includes("daily") && { dailyAt: next.dailyAt }),
      ...(tiers.includes("weekly") && { weeklyAt: next.weeklyAt }),
    })
    .where(eq(backupPolicies.vmId, vmId));
  await announce(tx, { kind: "backup", id: vmId, vmId });
}

function dueRuns({ hourlyAt, dailyAt, weeklyAt }: PolicyRow, now: Date): { tier: BackupTier; dueAt: Date }[] {
  const times = { hourly: hourlyAt, daily: dailyAt, weekly: weeklyAt };
  return backupTiers.flatMap((tier) => {
    const dueAt = times[tier];
    return dueAt === null || dueAt > now ? [] : [{ tier, dueAt }];
  });
}

function isDue(now: Date) {
  const { hourlyAt, dailyAt, weeklyAt } = backupPolicies;
  return or(...[hourlyAt, dailyAt, weeklyAt].map((at) => and(isNotNull(at), lte(at, now))));
}
