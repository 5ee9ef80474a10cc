import type { Queryable } from "../../db/client";
import { backups } from "../../db/schema/backups";
import type { Backup } from "../../domain/backup";
import { CumulusError } from "../../domain/errors";
import { announce } from "../changes";
import type { Actor, Context } from "../context";
import { makeOnce } from "../idempotency";
import { requestBackups } from "../jobs";
import { actorName } from "../operations";
import { freeSnapshotName } from "../snapshots/names";
import { requestSnapshot, withSnapshotNameTaken } from "../snapshots/take";
import { lockVm } from "../vms/power";
import { accessOf } from "./repositories";
import { getBackup } from "./view";

/**
 * Asks for a copy of a VM as it is now. It is made from a snapshot, which goes when the copy is there.
 * @throws `bad_request` for no such repository, `wrong_state` naming the states in which a VM can be copied
 */
export async function backUpNow(
  context: Context,
  actor: Actor,
  vmId: number,
  repositoryId: number,
  idempotencyKey: string | null,
): Promise<Backup> {
  const request = ["back-up-now", vmId, repositoryId];
  const once = { actor, key: idempotencyKey, request, makes: "backupId" } as const;
  const id = await makeOnce(context, once, (tx) => requestBackup(tx, actor, vmId, repositoryId));
  return getBackup(context, id);
}

async function requestBackup(tx: Queryable, actor: Actor, vmId: number, repositoryId: number): Promise<number> {
  const vm = await lockVm(tx, vmId);
  await accessOf(tx, repositoryId, "repository");
  const now = new Date();
  const name = await freeSnapshotName(tx, vmId, `backup ${now.toISOString().slice(0, 19).replace("T", " ")}`);
  const { snapshot } = await withSnapshotNameTaken(name, () =>
    requestSnapshot(tx, actor, vm, { name, origin: "backup" }),
  );
  const [row] = await tx
    .insert(backups)
    .values({ vmId, tier: "manual", dueAt: now, snapshotId: snapshot.id, repositoryId, actor: actorName(actor) })
    .returning();
  if (!row) throw new CumulusError("internal", "The backup could not be written.");
  await requestBackups(tx);
  await announce(tx, { kind: "backup", id: row.id, vmId });
  return row.id;
}
