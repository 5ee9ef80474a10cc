import { eq } from "drizzle-orm";
import { z } from "zod";
import type { Queryable } from "../../db/client";
import { snapshots } from "../../db/schema/vms";
import { announce } from "../changes";
import type { TaskEffects } from "../tasks/effects";
import { announceHeirs } from "../vms/madeFrom";
import type { SnapshotRow } from "./find";

const paramsSchema = z.object({ snapshotId: z.number() });

/** The end of deleting a snapshot: what came from it then comes from what it came from. One that could not be deleted is there as before. */
export const removeEffects: TaskEffects = {
  onDone: async (_context, tx, operation) => {
    const { snapshotId } = paramsSchema.parse(operation.taskParams);
    const row = await write(tx, snapshotId, { desired: "deleted", deletedAt: new Date() });
    await tx
      .update(snapshots)
      .set({ parentId: row?.parentId ?? null })
      .where(eq(snapshots.parentId, snapshotId));
    return {
      message:
        "It is gone. Its space comes back when its layer is merged, for which the disk must have room for a copy of it.",
      result: null,
    };
  },
  onFailed: async (_context, tx, operation) => {
    const { snapshotId } = paramsSchema.parse(operation.taskParams);
    await write(tx, snapshotId, { desired: "present" });
  },
};

async function write(tx: Queryable, id: number, values: Partial<SnapshotRow>): Promise<SnapshotRow | undefined> {
  const [row] = await tx.update(snapshots).set(values).where(eq(snapshots.id, id)).returning();
  if (row) await announce(tx, { kind: "snapshot", id, vmId: row.vmId });
  if (values.deletedAt) await announceHeirs(tx, { snapshotId: id });
  return row;
}
