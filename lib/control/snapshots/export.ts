import type { Operation } from "../../domain/operation";
import type { Export } from "../../domain/vmArchive";
import type { Actor, Context } from "../context";
import { actorName, getOperation } from "../operations";
import { requestTask } from "../tasks/request";
import { describedVm, describeSnapshot, describeVm } from "../vms/describe";
import { lockVm } from "../vms/power";
import { demandSnapshotAct } from "./demand";
import { lockSnapshot, wholeManifestOf } from "./find";

/** Asks for a VM as one file, its disk alone or all of it; the operation says where it can be fetched. @throws `wrong_state`, `not_found` */
export async function exportVm(context: Context, actor: Actor, vmId: number, { format }: Export): Promise<Operation> {
  const operation = await context.db.transaction(async (tx) => {
    const vm = await lockVm(tx, vmId);
    await demandSnapshotAct(tx, vm, "export");
    const archive = format === "archive" ? describeVm(await describedVm(tx, vmId, new Date())) : null;
    return requestTask(tx, {
      kind: "export",
      taskKind: "disk-export",
      params: { source: { vmId }, archive },
      actor: actorName(actor),
      vmId,
      subject: vm.name,
      dedupKey: `export-vm:${vmId}:${format}`,
      standsAlone: true,
    });
  });
  return getOperation(context, operation.id);
}

/** The same of a VM as its snapshot has it. @throws `not_found`, `wrong_state` while it is being taken or deleted */
export async function exportSnapshot(
  context: Context,
  actor: Actor,
  id: number,
  { format }: Export,
): Promise<Operation> {
  const operation = await context.db.transaction(async (tx) => {
    const snapshot = await lockSnapshot(tx, id);
    const { vmId, createdAt } = snapshot;
    const manifest = wholeManifestOf(snapshot);
    const archive = format === "archive" ? describeSnapshot(await describedVm(tx, vmId, createdAt), manifest) : null;
    return requestTask(tx, {
      kind: "export",
      taskKind: "disk-export",
      params: { source: { snapshotId: id }, archive },
      actor: actorName(actor),
      vmId,
      subject: snapshot.name,
      dedupKey: `export-snapshot:${id}:${format}`,
      standsAlone: true,
    });
  });
  return getOperation(context, operation.id);
}
