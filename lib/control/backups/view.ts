import { and, desc, eq, isNull, type SQL } from "drizzle-orm";
import { backups } from "../../db/schema/backups";
import { snapshots, vms } from "../../db/schema/vms";
import type { Backup } from "../../domain/backup";
import { CumulusError } from "../../domain/errors";
import type { Context } from "../context";

/** A VM's backups, newest first. @throws `not_found` for no such VM */
export async function listBackups(context: Context, vmId: number): Promise<Backup[]> {
  const [vm] = await context.db
    .select({ id: vms.id })
    .from(vms)
    .where(and(eq(vms.id, vmId), isNull(vms.deletedAt)));
  if (!vm) throw new CumulusError("not_found", `There is no VM ${vmId}.`);
  return select(context, and(eq(backups.vmId, vmId), isNull(backups.removedAt)));
}

export async function getBackup(context: Context, id: number): Promise<Backup> {
  const [backup] = await select(context, eq(backups.id, id));
  if (!backup) throw new CumulusError("not_found", `There is no backup ${id}.`);
  return backup;
}

async function select(context: Context, where: SQL | undefined): Promise<Backup[]> {
  const rows = await context.db
    .select({ backup: backups, snapshot: snapshots, vmName: vms.name })
    .from(backups)
    .innerJoin(vms, eq(vms.id, backups.vmId))
    .leftJoin(snapshots, eq(snapshots.id, backups.snapshotId))
    .where(where)
    .orderBy(desc(backups.dueAt), desc(backups.id));
  return rows.map(({ backup, snapshot, vmName }) => {
    const isThere = snapshot?.manifest && snapshot.desired === "present";
    return {
      id: backup.id,
      vm: { id: backup.vmId, name: vmName },
      tier: backup.tier,
      dueAt: backup.dueAt.toISOString(),
      snapshotId: isThere ? snapshot.id : null,
      repositoryId: backup.repositoryId,
      copy: backup.copy,
      status: statusOf(backup, Boolean(snapshot?.manifest)),
      error: backup.error,
    };
  });
}

function statusOf(backup: typeof backups.$inferSelect, wasTaken: boolean): Backup["status"] {
  if (backup.error !== null) return "failed";
  if (!wasTaken) return "taking";
  return backup.repositoryId !== null && backup.copy === null ? "copying" : "done";
}
