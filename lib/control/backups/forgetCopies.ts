import { and, eq, isNotNull, type SQL } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { backups } from "../../db/schema/backups";
import { snapshots } from "../../db/schema/vms";
import { announce } from "../changes";
import { isThere } from "./status";

/** Counts on copies no more. A backup that is there keeps its snapshot, and is none without one. */
export async function forgetCopies(tx: Queryable, which: SQL | undefined): Promise<void> {
  const rows = await tx
    .select({ backup: backups, snapshot: snapshots })
    .from(backups)
    .leftJoin(snapshots, eq(snapshots.id, backups.snapshotId))
    .where(and(which, isNotNull(backups.copy)));
  for (const { backup, snapshot } of rows) {
    const { id, vmId, removedAt } = backup;
    const isNone = removedAt === null && !isThere(snapshot);
    await tx
      .update(backups)
      .set({ copy: null, repositoryId: null, ...(isNone && { removedAt: new Date() }) })
      .where(eq(backups.id, id));
    await announce(tx, { kind: "backup", id, vmId });
  }
}
