import { and, eq, isNotNull, isNull, or } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { backupRepositories, backups } from "../../db/schema/backups";
import { snapshots } from "../../db/schema/vms";
import { backupCopySchema } from "../../domain/backup";
import type { SnapshotManifest } from "../../domain/snapshotManifest";
import { formatBytes } from "../../domain/units";
import { announce } from "../changes";
import type { Context } from "../context";
import type { TaskEffects } from "../tasks/effects";
import { requestTask } from "../tasks/request";
import { describedVm, describeSnapshot } from "../vms/describe";
import { attempt } from "./attempt";
import { accessOf } from "./repositories";

type BackupRow = typeof backups.$inferSelect;

const isOpen = and(
  ...[isNull(backups.removedAt), isNull(backups.error), isNull(backups.copy), isNull(backups.copyOperationId)],
);

/** Asks for copies of the snapshots that are there, and takes note of those that could not be taken. */
export async function copyWaiting(context: Context): Promise<void> {
  const waiting = await context.db
    .select({ backup: backups, snapshot: snapshots, access: backupRepositories.access })
    .from(backups)
    .innerJoin(snapshots, eq(snapshots.id, backups.snapshotId))
    .leftJoin(backupRepositories, eq(backupRepositories.id, backups.repositoryId))
    .where(and(isOpen, or(isNotNull(backups.repositoryId), isNotNull(snapshots.deletedAt))));
  for (const { backup, snapshot, access } of waiting) {
    if (snapshot.deletedAt !== null) {
      const error = snapshot.manifest
        ? "Its snapshot was deleted before it was copied."
        : "Its snapshot could not be taken.";
      await noteFailure(context, backup, error);
    } else if (snapshot.manifest && access) {
      const source = { snapshotId: snapshot.id, manifest: snapshot.manifest };
      const reason = await attempt(context, { backupId: backup.id }, () =>
        context.db.transaction((tx) => requestCopy(tx, backup, source)),
      );
      if (reason !== null) await noteFailure(context, backup, `It could not be copied. ${reason}`);
    }
  }
}

async function noteFailure(context: Context, { id, vmId }: BackupRow, error: string): Promise<void> {
  await attempt(context, { backupId: id }, async () => {
    await context.db
      .update(backups)
      .set({ error })
      .where(and(eq(backups.id, id), isOpen));
    await announce(context.db, { kind: "backup", id, vmId });
  });
}

async function requestCopy(
  tx: Queryable,
  { id, repositoryId }: BackupRow,
  { manifest, snapshotId }: { snapshotId: number; manifest: SnapshotManifest },
): Promise<void> {
  if (repositoryId === null) return;
  // Before the backup, as by who forgets the repository.
  const access = await accessOf(tx, repositoryId, "repository");
  const [backup] = await tx
    .select()
    .from(backups)
    .where(and(eq(backups.id, id), eq(backups.repositoryId, repositoryId), isOpen))
    .for("update");
  // Removed, or asked for by another, since it was read.
  if (!backup) return;
  const described = await describedVm(tx, backup.vmId, new Date(manifest.createdAt));
  const operation = await requestTask(tx, {
    kind: "backup",
    taskKind: "backup",
    params: {
      access,
      snapshotId,
      description: describeSnapshot(described, manifest),
      // A repository may be another installation's too: the number alone says too little.
      mark: `${backup.id}-${backup.createdAt.getTime()}`,
    },
    actor: backup.actor,
    vmId: backup.vmId,
    dedupKey: `backup:${backup.id}`,
  });
  await tx.update(backups).set({ copyOperationId: operation.id }).where(eq(backups.id, backup.id));
  await announce(tx, { kind: "backup", id: backup.id, vmId: backup.vmId });
}

/** What the end of a copy changes. */
export const copyEffects: TaskEffects = {
  async onDone(_context, tx, operation, result) {
    const copy = backupCopySchema.parse(result);
    await update(tx, operation.id, { copy });
    const message = `Copied and read back: ${formatBytes(copy.addedBytes)} new of ${formatBytes(copy.diskBytes)}.`;
    return { message, result: null };
  },
  async onFailed(_context, tx, operation, reason) {
    await update(tx, operation.id, { error: `It was not copied. ${reason}` });
  },
};

async function update(tx: Queryable, copyOperationId: number, values: Partial<BackupRow>): Promise<void> {
  const [row] = await tx.update(backups).set(values).where(eq(backups.copyOperationId, copyOperationId)).returning();
  if (row) await announce(tx, { kind: "backup", id: row.id, vmId: row.vmId });
}
