import { backups } from "../../db/schema/backups";
import type { Backup } from "../../domain/backup";
import { CumulusError } from "../../domain/errors";
import { announce } from "../changes";
import type { Actor, Context } from "../context";
import { requestBackups } from "../jobs";
import { actorName } from "../operations";
import { requestSnapshot } from "../snapshots/take";
import { lockVm } from "../vms/power";
import { accessOf } from "./repositories";
import { getBackup } from "./view";

/**
 * Asks for a copy of a VM as it is now. It is made from a snapshot, which goes when the copy is there.
 * @throws `bad_request` for no such repository, `wrong_state` naming the states in which a VM can be copied
 */
export async function backUpNow(context: Context, actor: Actor, vmId: number, repositoryId: number): Promise<Backup> {
  const id = await context.db.transaction(async (tx) => {
    const vm = await lockVm(tx, vmId);
    await accessOf(tx, repositoryId, "repository");
    const now = new Date();
    const name = `backup ${now.toISOString().slice(0, 19).replace("T", " ")}`;
    const { snapshot } = await requestSnapshot(tx, actor, vm, { name, origin: "schedule" });
    const [row] = await tx
      .insert(backups)
      .values({ vmId, tier: "manual", dueAt: now, snapshotId: snapshot.id, repositoryId, actor: actorName(actor) })
      .returning();
    if (!row) throw new CumulusError("internal", "The backup could not be written.");
    await requestBackups(tx);
    await announce(tx, { kind: "backup", id: row.id, vmId });
    return row.id;
  });
  return getBackup(context, id);
}
