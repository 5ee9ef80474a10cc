import { eq } from "drizzle-orm";
import { backupPolicies } from "../../db/schema/backups";
import type { Operation } from "../../domain/operation";
import { failpoint } from "../../failpoints";
import { announce } from "../changes";
import type { Actor, Context } from "../context";
import { requestConverge } from "../jobs";
import { actorName, getOperation, supersedeChanges } from "../operations";
import { requestRemovalOfAll } from "../snapshots/remove";
import { cancelRestores } from "../snapshots/restore";
import { lockVm, newGeneration } from "./power";

/** Writes down that a VM is to be gone; its backup policy goes at once, its snapshots stay unless they are to go with it. Asked again while it is going: the same again, nothing lost. Rejects with `conflict` while a new VM is to start from one that is to go. */
export async function destroyVm(
  context: Context,
  actor: Actor,
  id: number,
  options: { withSnapshots: boolean },
): Promise<Operation> {
  const operation = await context.db.transaction(async (tx) => {
    // Before the VM is held, as by the end of a restore.
    await cancelRestores(tx, id);
    const vm = await lockVm(tx, id);
    const asked = { kind: "destroy" as const, vmId: id, actor: actorName(actor) };
    const row = await newGeneration(tx, vm, asked, { desired: "deleted" });
    await supersedeChanges(tx, id);
    await tx.delete(backupPolicies).where(eq(backupPolicies.vmId, id));
    if (options.withSnapshots) await requestRemovalOfAll(tx, actor, id);
    await requestConverge(tx, id);
    await announce(tx, { kind: "vm", id });
    return row;
  });
  failpoint("destroy.committed");
  return getOperation(context, operation.id);
}
