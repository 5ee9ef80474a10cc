import { eq } from "drizzle-orm";
import { snapshots } from "../../db/schema/vms";
import type { Snapshot, UpdateSnapshot } from "../../domain/snapshot";
import { announce } from "../changes";
import type { Context } from "../context";
import { lockSnapshot } from "./find";
import { withSnapshotNameTaken } from "./take";
import { getSnapshot } from "./view";

/** Changes a snapshot's name or note. @throws `not_found`, `conflict` when its VM has one of that name */
export async function updateSnapshot(context: Context, id: number, input: UpdateSnapshot): Promise<Snapshot> {
  await withSnapshotNameTaken(input.name, () =>
    context.db.transaction(async (tx) => {
      const { name, note, vmId } = await lockSnapshot(tx, id);
      await tx
        .update(snapshots)
        .set({ name: input.name ?? name, note: input.note ?? note })
        .where(eq(snapshots.id, id));
      await announce(tx, { kind: "snapshot", id, vmId });
    }),
  );
  return getSnapshot(context, id);
}
