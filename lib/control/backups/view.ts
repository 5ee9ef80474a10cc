import { and, desc, eq, inArray, isNull, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import { backups } from "../../db/schema/backups";
import { operations } from "../../db/schema/operations";
import { snapshots, vms } from "../../db/schema/vms";
import type { Backup } from "../../domain/backup";
import { CumulusError } from "../../domain/errors";
import type { Context } from "../context";
import { openStatuses } from "../operations";
import { isThere, statusOf } from "./status";

const taking = alias(operations, "taking");
const copying = alias(operations, "copying");

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
    .select({ backup: backups, snapshot: snapshots, vmName: vms.name, takingId: taking.id, copyingId: copying.id })
    .from(backups)
    .innerJoin(vms, eq(vms.id, backups.vmId))
    .leftJoin(snapshots, eq(snapshots.id, backups.snapshotId))
    .leftJoin(taking, and(isOpen(taking), eq(taking.taskKind, "snapshot-take"), isOf(taking, snapshots.id)))
    .leftJoin(copying, and(isOpen(copying), eq(copying.id, backups.copyOperationId)))
    .where(where)
    .orderBy(desc(backups.dueAt), desc(backups.id));
  return rows.map(({ backup, snapshot, vmName, takingId, copyingId }) => ({
    id: backup.id,
    vm: { id: backup.vmId, name: vmName },
    tier: backup.tier,
    dueAt: backup.dueAt.toISOString(),
    takenAt: snapshot?.manifest?.createdAt ?? null,
    snapshotId: isThere(snapshot) ? snapshot.id : null,
    repositoryId: backup.repositoryId,
    copy: backup.copy,
    status: statusOf(backup, snapshot),
    error: backup.error,
    operationId: copyingId ?? takingId,
  }));
}

function isOpen(operation: typeof taking | typeof copying): SQL {
  return inArray(operation.status, [...openStatuses]);
}

function isOf(operation: typeof taking, snapshotId: typeof snapshots.id): SQL {
  return sql`(${operation.taskParams} ->> 'snapshotId')::int = ${snapshotId}`;
}
