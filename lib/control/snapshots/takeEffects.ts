import { and, eq, isNull } from "drizzle-orm";
import { z } from "zod";
import type { Queryable } from "../../db/client";
import { snapshots, vms } from "../../db/schema/vms";
import { type SnapshotManifest, snapshotManifestSchema } from "../../domain/snapshotManifest";
import { noteUntaken } from "../backups/untaken";
import { announce } from "../changes";
import { systemActor } from "../context";
import { requestBackups, requestConverge } from "../jobs";
import { giveUpIn } from "../steps";
import type { TaskEffects } from "../tasks/effects";
import { requestSnapshotRemoval } from "./remove";

const paramsSchema = z.object({ snapshotId: z.number() });

/** The end of taking a snapshot: VMs that start from it go on, or fail, and so does a backup that is to be copied from it. */
export const takeEffects: TaskEffects = {
  onDone: async (_context, tx, operation, result) => {
    const { snapshotId } = paramsSchema.parse(operation.taskParams);
    const manifest = snapshotManifestSchema.parse(result);
    await writeManifest(tx, snapshotId, manifest);
    for (const { id } of await waitingVms(tx, snapshotId)) await requestConverge(tx, id);
    await requestBackups(tx);
    return { message: `It is there. ${pauseWords(manifest)}`, result: { snapshotId } };
  },
  onFailed: async (_context, tx, operation, reason) => {
    const { snapshotId } = paramsSchema.parse(operation.taskParams);
    await forgetUntaken(tx, snapshotId);
    await noteUntaken(tx, snapshotId, reason);
    for (const vm of await waitingVms(tx, snapshotId)) {
      await giveUpIn(tx, vm, `What its disk was to start from could not be made: ${reason}`);
    }
    await requestBackups(tx);
  },
};

/** A snapshot is whole. One that was to be deleted meanwhile goes at once. */
export async function writeManifest(tx: Queryable, id: number, manifest: SnapshotManifest): Promise<void> {
  const [row] = await tx
    .update(snapshots)
    .set({
      manifest,
      hasMemory: manifest.hasMemory,
      parentId: await nearestShown(tx, manifest.parentId),
      createdAt: new Date(manifest.createdAt),
    })
    .where(and(eq(snapshots.id, id), isNull(snapshots.deletedAt)))
    .returning();
  if (!row) return;
  await announce(tx, { kind: "snapshot", id, vmId: row.vmId });
  if (row.desired === "deleted") await requestSnapshotRemoval(tx, systemActor, row);
}

/** A snapshot that was not taken is nothing that anybody need see. */
export async function forgetUntaken(tx: Queryable, id: number): Promise<void> {
  const [row] = await tx
    .update(snapshots)
    .set({ desired: "deleted", deletedAt: new Date() })
    .where(and(eq(snapshots.id, id), isNull(snapshots.manifest), isNull(snapshots.deletedAt)))
    .returning();
  if (row) await announce(tx, { kind: "snapshot", id, vmId: row.vmId });
}

/**
 * A snapshot, or of one that nobody sees (it is gone, or stands for a moment between a VM and its clone) what it came from. Held, so that it can't go
 * before it is written down as a parent.
 */
async function nearestShown(tx: Queryable, id: number | null): Promise<number | null> {
  for (let at = id; at !== null; ) {
    const [row] = await tx.select().from(snapshots).where(eq(snapshots.id, at)).for("share");
    if (!row) return null;
    if (row.deletedAt === null && row.origin !== "clone") return row.id;
    at = row.parentId;
  }
  return null;
}

/** Live VMs that are to start from a snapshot. */
function waitingVms(tx: Queryable, snapshotId: number) {
  return tx
    .select()
    .from(vms)
    .where(and(eq(vms.fromSnapshotId, snapshotId), isNull(vms.deletedAt)));
}

function pauseWords({ pauseMs }: SnapshotManifest): string {
  return pauseMs === 0 ? "The guest was not stopped for it." : `The guest stood still for ${Math.ceil(pauseMs)} ms.`;
}
