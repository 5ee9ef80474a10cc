import { and, eq, isNull } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { backups } from "../../db/schema/backups";
import { announce } from "../changes";

/** A backup whose snapshot was not taken has failed. @param reason a sentence for users */
export async function noteUntaken(tx: Queryable, snapshotId: number, reason: string): Promise<void> {
  const [row] = await tx
    .update(backups)
    .set({ error: `Its snapshot was not taken. ${reason}` })
    .where(and(eq(backups.snapshotId, snapshotId), isNull(backups.error), isNull(backups.removedAt)))
    .returning();
  if (row) await announce(tx, { kind: "backup", id: row.id, vmId: row.vmId });
}
