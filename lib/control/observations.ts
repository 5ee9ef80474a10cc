import { isDeepStrictEqual } from "node:util";
import { and, eq, isNull, sql } from "drizzle-orm";
import type { Queryable } from "../db/client";
import { vms } from "../db/schema/vms";
import type { Observation } from "../domain/machine";
import type { Milestones } from "../domain/timeline";
import { announce } from "./changes";
import type { Context } from "./context";
import { requestNetworks } from "./networks/apply";
import { networkDriverOf } from "./networks/driver";
import { addFinishedOperation } from "./operations";
import { ownKeyUsers } from "./vms/loginUser";
import type { VmRow } from "./vms/view";

/**
 * Writes down what a host saw of a VM, and tells of it when it is news. Only the converger calls this, holding the VM's lock: that keeps other
 * observations away, not new intents, whose clock counts from when they are written.
 * @param vm its row when the host was asked
 * @returns the row as it now is; undefined when the VM has been destroyed
 */
export async function recordObservation(context: Context, vm: VmRow, seen: Observation): Promise<VmRow | undefined> {
  const observedAt = new Date(seen.observedAt);
  if (!isNewObservation(vm, seen)) return updateLiveVm(context.db, vm.id, { observedAt });
  return context.db.transaction(async (tx) => {
    const isLive = and(eq(vms.id, vm.id), isNull(vms.deletedAt));
    const [present] = await tx.select().from(vms).where(isLive).for("update");
    if (!present) return undefined;
    const isNewState = present.observed !== seen.state;
    const row = await updateLiveVm(tx, vm.id, {
      observed: seen.state,
      observedAt,
      observedReason: seen.reason,
      bootCount: seen.bootCount,
      firstBootReport: seen.firstBoot,
      // Told at the first boot of several that a VM has.
      keyUsers: seen.firstBoot.keyUsers ? ownKeyUsers(seen.firstBoot.keyUsers, present.firstBoot) : present.keyUsers,
      observedCdrom: seen.cdromSha256,
      observedLink: seen.link,
      milestones: mergeMilestones(present, seen),
      ...(isNewState && { observedSince: new Date() }),
      updatedAt: new Date(),
    });
    if (!row) return undefined;
    await announce(tx, { kind: "vm", id: vm.id });
    if (!isDeepStrictEqual(present.observedLink, seen.link)) await announce(tx, { kind: "network", id: vm.networkId });
    if (await leavesOtherNetwork(tx, present, seen)) await requestNetworks(tx);
    if (isNewState && seen.state === "crashed") {
      const message = seen.reason ?? "The virtual machine ended unexpectedly.";
      await addFinishedOperation(tx, { kind: "crash", vmId: vm.id, actor: "system", message });
    }
    return row;
  });
}

/** Whether a VM stops that was connected otherwise than its host does networks now: what is forwarded to it is that host's from then on. */
async function leavesOtherNetwork(tx: Queryable, { observedLink }: VmRow, { link }: Observation): Promise<boolean> {
  if (!observedLink || observedLink.driver === link?.driver) return false;
  return (await networkDriverOf(tx))?.driver !== observedLink.driver;
}

async function updateLiveVm(db: Queryable, id: number, values: Partial<VmRow>): Promise<VmRow | undefined> {
  const isLive = and(eq(vms.id, id), isNull(vms.deletedAt));
  const [row] = await db.update(vms).set(values).where(isLive).returning();
  return row;
}

/** What one sweep over a host saw of VMs that are as they were: only the time of seeing is written. */
export async function touchObservations(db: Queryable, vmIds: readonly number[], seenAt: Date): Promise<void> {
  if (vmIds.length === 0) return;
  await db.execute(
    sql`update vms set observed_at = ${seenAt.toISOString()}::timestamptz where id = any(${sql.param(`{${vmIds.join(",")}}`)}::int[]) and deleted_at is null`,
  );
}

/** Whether a host saw anything of a VM that its row doesn't say yet. */
export function isNewObservation(vm: VmRow, seen: Observation): boolean {
  return (
    vm.observed !== seen.state ||
    vm.bootCount !== seen.bootCount ||
    vm.observedReason !== seen.reason ||
    vm.observedCdrom !== seen.cdromSha256 ||
    !isDeepStrictEqual(vm.observedLink, seen.link) ||
    // Not as JSON: the database keeps the keys in an order of its own.
    !isDeepStrictEqual(vm.firstBootReport, seen.firstBoot) ||
    !isDeepStrictEqual(vm.milestones, mergeMilestones(vm, seen))
  );
}

/**
 * The control plane's steps and those that the host saw since. What belongs to a boot before the present intent is left out; a boot that nobody here asked for (the guest
 * rebooted itself) starts the clock anew.
 */
function mergeMilestones(vm: VmRow, seen: Observation): Milestones {
  const isOwnReboot = vm.bootCount > 0 && seen.bootCount > vm.bootCount && vm.settledGeneration === vm.generation;
  const accepted = isOwnReboot ? seen.observedAt : acceptedAt(vm, seen);
  const acceptedMs = accepted ? Date.parse(accepted) : 0;
  const milestones: Milestones = { ...(accepted && { accepted }) };
  const image = vm.milestones.image;
  if (image) milestones.image = image;
  const { disk, started, ...ofBoot } = seen.milestones;
  const diskMadeAt = disk ?? vm.milestones.disk;
  if (diskMadeAt) milestones.disk = diskMadeAt;
  const isPresentBoot =
    started !== undefined && (isOwnReboot || Date.parse(started) >= acceptedMs || hasRebooted(vm, started));
  if (!isPresentBoot) return milestones;
  return { ...milestones, started, ...ofBoot };
}

/** A guest that was to stay up goes on by the clock that it has. Where it went down after all, its next boot is the present intent's. */
function acceptedAt({ generation, settledGeneration, milestones, intentAt }: VmRow, seen: Observation) {
  const { started } = seen.milestones;
  const isUnderWay = settledGeneration !== generation;
  const isOtherBoot =
    milestones.started !== undefined && started !== undefined && Date.parse(started) > Date.parse(milestones.started);
  return isUnderWay && isOtherBoot ? intentAt.toISOString() : milestones.accepted;
}

/** QEMU has run since before the present clock started: the guest has rebooted in it. */
function hasRebooted(vm: VmRow, started: string): boolean {
  return vm.milestones.started === started;
}
