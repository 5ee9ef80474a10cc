import { and, eq, isNull, sql } from "drizzle-orm";
import { backupPolicies } from "../../db/schema/backups";
import { vms } from "../../db/schema/vms";
import { type BackupPolicy, nextRunAt } from "../../domain/backupPolicy";
import { CumulusError } from "../../domain/errors";
import { announce } from "../changes";
import type { Context } from "../context";
import { lockVm } from "../vms/power";
import { accessOf } from "./repositories";

export interface PolicyState {
  policy: BackupPolicy | null;
  /** When the next snapshot is due; null without a policy. */
  nextAt: string | null;
}

/** @throws `not_found` for no such VM */
export async function getPolicy(context: Context, vmId: number): Promise<PolicyState> {
  await assertVm(context, vmId);
  const [row] = await context.db.select().from(backupPolicies).where(eq(backupPolicies.vmId, vmId));
  if (!row) return { policy: null, nextAt: null };
  const times = [row.hourlyAt, row.dailyAt, row.weeklyAt].flatMap((at) => at?.getTime() ?? []);
  return { policy: row.policy, nextAt: new Date(Math.min(...times)).toISOString() };
}

/**
 * From now on the VM is backed up so; what was due and not yet done under an earlier policy is not caught up.
 * @throws `not_found` for no such VM, `wrong_state` for one that is being destroyed, `bad_request` for no such repository
 */
export async function putPolicy(context: Context, vmId: number, policy: BackupPolicy): Promise<PolicyState> {
  await context.db.transaction(async (tx) => {
    const vm = await lockVm(tx, vmId);
    if (vm.desired === "deleted") throw new CumulusError("wrong_state", `${vm.name} is being destroyed.`);
    if (policy.repository !== null) await accessOf(tx, policy.repository, "repository");
    const values = { policy, ...dueTimes(policy, new Date()), updatedAt: sql`now()` };
    await tx
      .insert(backupPolicies)
      .values({ vmId, ...values })
      .onConflictDoUpdate({ target: backupPolicies.vmId, set: values });
    await announce(tx, { kind: "backup", id: vmId, vmId });
  });
  return getPolicy(context, vmId);
}

/** The VM is no longer backed up by itself; backups that are there stay until somebody removes them. */
export async function removePolicy(context: Context, vmId: number): Promise<void> {
  await assertVm(context, vmId);
  await context.db.delete(backupPolicies).where(eq(backupPolicies.vmId, vmId));
  await announce(context.db, { kind: "backup", id: vmId, vmId });
}

/** When each tier is next due after a moment. */
export function dueTimes(policy: BackupPolicy, after: Date) {
  return {
    hourlyAt: nextRunAt(policy, "hourly", after),
    dailyAt: nextRunAt(policy, "daily", after),
    weeklyAt: nextRunAt(policy, "weekly", after),
  };
}

async function assertVm(context: Context, vmId: number): Promise<void> {
  const [vm] = await context.db
    .select({ id: vms.id })
    .from(vms)
    .where(and(eq(vms.id, vmId), isNull(vms.deletedAt)));
  if (!vm) throw new CumulusError("not_found", `There is no VM ${vmId}.`);
}
