import { and, asc, eq, inArray, isNull, sql } from "drizzle-orm";
import { images } from "../db/schema/images";
import { operations } from "../db/schema/operations";
import { CumulusError, messageOf } from "../domain/errors";
import { type Intent, nextStep, type PendingAct } from "../domain/nextStep";
import { failpoint } from "../failpoints";
import type { Context } from "./context";
import { requestConverge } from "./jobs";
import { recordObservation } from "./observations";
import { openStatuses } from "./operations";
import { isBeingRestored, isBeingTaken } from "./snapshots/demand";
import { giveUp, performStep } from "./steps";
import { withVmLock } from "./vmLock";
import { getVmRecord, type VmRecord } from "./vms/view";

/** More steps than any way between two states has: a loop that goes on past it is a defect and stops. */
const maxSteps = 12;

/** How long to wait before trying again what failed because a host was away. */
const retryDelayMs = 2_000;

/**
 * Brings a VM to what is wanted, a step at a time: see, record, decide (lib/domain/nextStep.ts), do. Takes nothing but an id, so that clicks, retries, crashes and
 * drift all take this path; can be called any number of times, and be cut off anywhere.
 */
export async function convergeVm(context: Context, vmId: number): Promise<void> {
  await withVmLock(context.pool, vmId, async () => {
    for (let count = 0; count < maxSteps; count++) {
      const record = await findRecord(context, vmId);
      if (!record) return;
      if (!(await convergeOnce(context, record))) return;
    }
    throw new CumulusError("internal", `VM ${vmId} is not where it should be after ${maxSteps} steps.`);
  });
}

/** @returns whether there may be more to do */
async function convergeOnce(context: Context, before: VmRecord): Promise<boolean> {
  const vmId = before.vm.id;
  try {
    const seen = await context.agent.observe(vmId);
    const vm = await recordObservation(context, before.vm, seen);
    failpoint("converge.observed");
    if (!vm) return false;
    const step = nextStep(await intentOf(context, vm), seen, await pendingAct(context, vmId), Date.now());
    if (step.kind === "none") return false;
    if (step.kind === "wait") {
      await requestConverge(context.db, vmId, new Date(step.untilMs));
      return false;
    }
    await performStep(context, { ...before, vm }, step);
    return true;
  } catch (error) {
    if (!(error instanceof CumulusError)) throw error;
    const isDeleting = before.vm.desired === "deleted";
    if (error.code === "unavailable" || isDeleting) {
      context.log.warn({ vmId, err: error }, "will try again");
      await requestConverge(context.db, vmId, new Date(Date.now() + retryDelayMs));
      return false;
    }
    context.log.error({ vmId, err: error }, "gave up");
    await giveUp(context, before.vm, messageOf(error));
    return false;
  }
}

async function intentOf({ db }: Context, vm: VmRecord["vm"]): Promise<Intent> {
  const hasDisk = vm.milestones.disk !== undefined;
  const waitsForDisk = !hasDisk && vm.fromSnapshotId !== null && (await isBeingTaken(db, vm.fromSnapshotId));
  const isHeld = waitsForDisk || (await isBeingRestored(db, vm.id));
  const [cdrom] = vm.cdromImageId === null ? [] : await db.select().from(images).where(eq(images.id, vm.cdromImageId));
  const stopDeadlineAtMs = vm.stopDeadlineAt?.getTime() ?? null;
  return { ...vm, stopDeadlineAtMs, hasDisk, isHeld, cdromSha256: cdrom?.sha256 ?? null };
}

async function findRecord(context: Context, vmId: number): Promise<VmRecord | undefined> {
  try {
    return await getVmRecord(context.db, vmId);
  } catch (error) {
    if (error instanceof CumulusError && error.code === "not_found") return undefined;
    throw error;
  }
}

/** The oldest act of a VM that waits for its turn; changes of its drive, which take a moment, before all others. */
async function pendingAct(context: Context, vmId: number): Promise<PendingAct | null> {
  const [row] = await context.db
    .select()
    .from(operations)
    .where(
      and(
        eq(operations.vmId, vmId),
        isNull(operations.generation),
        isNull(operations.taskKind),
        inArray(operations.status, [...openStatuses]),
      ),
    )
    .orderBy(sql`${operations.kind} not in ('change-media', 'change-interfaces')`, asc(operations.id))
    .limit(1);
  if (!row) return null;
  return { operationId: row.id, kind: row.kind as PendingAct["kind"], bootCountBefore: row.bootCountBefore ?? 0 };
}
