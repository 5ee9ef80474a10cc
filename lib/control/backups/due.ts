import { and, eq, isNotNull, isNull, lte, or } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { backupPolicies, backups } from "../../db/schema/backups";
import { vms } from "../../db/schema/vms";
import { backupTiers } from "../../domain/backupPolicy";
import { CumulusError } from "../../domain/errors";
import { announce } from "../changes";
import { type Context, systemActor } from "../context";
import { requestSnapshot } from "../snapshots/take";
import type { VmRow } from "../vms/view";
import { dueTimes } from "./policies";

type PolicyRow = typeof backupPolicies.$inferSelect;

/** Asks for the snapshots that are due. Runs that were missed, while the installation was off say, are caught up once. */
export async function takeDueBackups(context: Context): Promise<void> {
  const now = new Date();
  const due = await context.db.select({ vmId: backupPolicies.vmId }).from(backupPolicies).where(isDue(now));
  for (const { vmId } of due) {
    try {
      await context.db.transaction((tx) => takeDueOf(tx, vmId, now));
    } catch (err) {
      // The VM is on its way from one state to another: it stays due, and is looked at again in a minute.
      const isForLater = err instanceof CumulusError && (err.code === "wrong_state" || err.code === "conflict");
      if (!isForLater) throw err;
      context.log.info({ vmId, err }, "a backup is put off");
    }
  }
}

async function takeDueOf(tx: Queryable, vmId: number, now: Date): Promise<void> {
  const [row] = await tx
    .select()
    .from(backupPolicies)
    .where(and(eq(backupPolicies.vmId, vmId), isDue(now)))
    .for("update", { skipLocked: true });
  if (!row) return;
  const [vm] = await tx
    .select()
    .from(vms)
    .where(and(eq(vms.id, vmId), isNull(vms.deletedAt)));
  if (!vm || vm.desired === "deleted") {
    await tx.delete(backupPolicies).where(eq(backupPolicies.vmId, vmId));
    return;
  }
  await takeTiers(tx, vm, row, now);
  await tx.update(backupPolicies).set(dueTimes(row.policy, now)).where(eq(backupPolicies.vmId, vmId));
}

async function takeTiers(tx: Queryable, vm: VmRow, row: PolicyRow, now: Date): Promise<void> {
  const times = { hourly: row.hourlyAt, daily: row.dailyAt, weekly: row.weeklyAt };
  for (const tier of backupTiers) {
    const dueAt = times[tier];
    if (dueAt === null || dueAt > now) continue;
    const name = `${tier} ${dueAt.toISOString().slice(0, 16).replace("T", " ")}`;
    const { snapshot } = await requestSnapshot(tx, systemActor, vm, { name, origin: "schedule" });
    await tx.insert(backups).values({
      vmId: vm.id,
      tier,
      dueAt,
      snapshotId: snapshot.id,
      repositoryId: row.policy.repository,
      actor: systemActor.name,
    });
  }
  await announce(tx, { kind: "backup", id: vm.id, vmId: vm.id });
}

function isDue(now: Date) {
  const { hourlyAt, dailyAt, weeklyAt } = backupPolicies;
  return or(...[hourlyAt, dailyAt, weeklyAt].map((at) => and(isNotNull(at), lte(at, now))));
}
