import type { Operation } from "../../domain/operation";
import type { Actor, Context } from "../context";
import { actorName, getOperation } from "../operations";
import { requestTask } from "../tasks/request";
import { lockVm } from "../vms/power";
import { demandSnapshotAct } from "./demand";
import { lockSnapshot, wholeManifestOf } from "./find";

/** Asks for a VM's disk as one qcow2 file; the operation says where it can be fetched. @throws `wrong_state`, `not_found` */
export async function exportVm(context: Context, actor: Actor, vmId: number): Promise<Operation> {
  const operation = await context.db.transaction(async (tx) => {
    const vm = await lockVm(tx, vmId);
    await demandSnapshotAct(tx, vm, "export");
    return requestTask(tx, {
      kind: "export",
      taskKind: "disk-export",
      params: { source: { vmId } },
      actor: actorName(actor),
      vmId,
      subject: vm.name,
      dedupKey: `export-vm:${vmId}`,
    });
  });
  return getOperation(context, operation.id);
}

/** The same of a snapshot's disk. @throws `not_found`, `wrong_state` while it is being taken or deleted */
export async function exportSnapshot(context: Context, actor: Actor, id: number): Promise<Operation> {
  const operation = await context.db.transaction(async (tx) => {
    const snapshot = await lockSnapshot(tx, id);
    wholeManifestOf(snapshot);
    return requestTask(tx, {
      kind: "export",
      taskKind: "disk-export",
      params: { source: { snapshotId: id } },
      actor: actorName(actor),
      vmId: snapshot.vmId,
      subject: snapshot.name,
      dedupKey: `export-snapshot:${id}`,
    });
  });
  return getOperation(context, operation.id);
}
