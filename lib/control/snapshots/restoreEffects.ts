import { and, eq, ne, sql } from "drizzle-orm";
import { z } from "zod";
import type { Queryable } from "../../db/client";
import { snapshots, vms } from "../../db/schema/vms";
import { nameOfShape } from "../../domain/size";
import { type SnapshotManifest, snapshotManifestSchema } from "../../domain/snapshotManifest";
import { milestonesSchema } from "../../domain/timeline";
import { desiredStates } from "../../domain/vmStatus";
import { announce } from "../changes";
import type { TaskEffects } from "../tasks/effects";
import type { VmRow } from "../vms/view";
import { isShown } from "./find";
import type { RestoreParams } from "./restore";
import { forgetUntaken, writeManifest } from "./takeEffects";

const paramsSchema: z.ZodType<RestoreParams> = z.object({
  vmId: z.number(),
  snapshotId: z.number(),
  // Restores that were asked for before these were written down had memory where there was some.
  memory: z.boolean().default(true),
  safety: z.object({ snapshotId: z.number(), memory: z.boolean() }).nullable(),
  generation: z.number(),
  desiredBefore: z.enum(desiredStates),
  milestonesBefore: milestonesSchema.optional(),
});
const resultSchema = z.object({
  safety: snapshotManifestSchema.nullable(),
  /** An agent before this one doesn't say. */
  clockProblem: z.string().nullable().default(null),
});

/** The end of a restore: the VM's row follows what the snapshot was taken of; when it failed, the same is wanted of the VM as before. */
export const restoreEffects: TaskEffects = {
  onDone: async (_context, tx, operation, result) => {
    const { vmId, snapshotId, memory, safety } = paramsSchema.parse(operation.taskParams);
    const { safety: safetyManifest, clockProblem } = resultSchema.parse(result);
    // Held before its snapshots, as by whoever destroys both.
    const [vm] = await tx.select().from(vms).where(eq(vms.id, vmId)).for("update");
    if (safety && safetyManifest) await writeManifest(tx, safety.snapshotId, safetyManifest);
    const [snapshot] = await tx.select().from(snapshots).where(eq(snapshots.id, snapshotId));
    const manifest = snapshot?.manifest;
    if (vm && manifest) await takeShape(tx, vm, manifest, memory);
    await announce(tx, { kind: "vm", id: vmId });
    await announce(tx, { kind: "snapshot", id: snapshotId, vmId });
    const outcome = memory ? "It goes on where it was." : "Its disk is as it was.";
    const message = clockProblem === null ? outcome : `${outcome} ${clockProblem}`;
    return { message, result: { snapshotId, ...(safety && { safetySnapshotId: safety.snapshotId }) } };
  },
  beforeFailed: async ({ agent, db }, operation) => {
    const { safety } = paramsSchema.parse(operation.taskParams);
    const kept = safety && (await agent.listSnapshots()).find(({ id }) => id === safety.snapshotId);
    // The host keeps it where it alone holds what the VM had, the memory of a guest that was ended or all of it.
    if (kept) await db.transaction((tx) => writeManifest(tx, kept.id, kept));
  },
  onFailed: async (_context, tx, operation) => {
    const { vmId, snapshotId, safety, generation, ...before } = paramsSchema.parse(operation.taskParams);
    const { desiredBefore: desired, milestonesBefore: milestones } = before;
    const isStillMeant = and(eq(vms.id, vmId), eq(vms.generation, generation), ne(vms.desired, "deleted"));
    await tx
      .update(vms)
      .set({ desired, ...(milestones && { milestones }) })
      .where(isStillMeant);
    await announce(tx, { kind: "vm", id: vmId });
    await announce(tx, { kind: "snapshot", id: snapshotId, vmId });
    if (!safety) return undefined;
    await forgetUntaken(tx, safety.snapshotId);
    const [kept] = await tx
      .select({ name: snapshots.name })
      .from(snapshots)
      .where(and(eq(snapshots.id, safety.snapshotId), isShown));
    return kept && `What the VM had before is kept in the snapshot “${kept.name}”: restore that to go on with it.`;
  },
};

/**
 * A guest that goes on has the vCPUs and memory that it had. The disk that is promised never gets smaller: one that was smaller then is grown at the
 * next start. The times of a boot from before the present one are yet to be seen: what was seen since the restore was asked for is of the one that is over.
 */
async function takeShape(
  tx: Queryable,
  vm: VmRow,
  { machine, virtualBytes }: SnapshotManifest,
  memory: boolean,
): Promise<void> {
  const { vcpus, memoryBytes } = memory ? machine : vm;
  const { accepted, disk } = vm.milestones;
  const isOlderBoot = memory && accepted === undefined;
  const shape = { vcpus, memoryBytes, diskBytes: Math.max(vm.diskBytes, virtualBytes) };
  await tx
    .update(vms)
    .set({
      ...shape,
      sizeName: nameOfShape(shape),
      ...(isOlderBoot && { milestones: { ...(disk && { disk }) } }),
      updatedAt: sql`now()`,
    })
    .where(eq(vms.id, vm.id));
}
