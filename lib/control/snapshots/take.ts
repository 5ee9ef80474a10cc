import type { Queryable } from "../../db/client";
import { violatedUnique } from "../../db/errors";
import { snapshots } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import type { Operation } from "../../domain/operation";
import type { SnapshotOrigin, TakeSnapshot } from "../../domain/snapshot";
import { failpoint } from "../../failpoints";
import { announce } from "../changes";
import type { Actor, Context } from "../context";
import { makeOnce } from "../idempotency";
import { actorName, getOperation, type OperationRow } from "../operations";
import { requestTask } from "../tasks/request";
import { lockVm } from "../vms/power";
import type { VmRow } from "../vms/view";
import { demandSnapshotAct } from "./demand";
import type { SnapshotRow } from "./find";
import { freeSnapshotName } from "./names";

/**
 * Asks for a snapshot and answers when that is durable; the operation says when it is there.
 * @throws `wrong_state` naming the allowed states, `conflict` when the VM has one of that name
 */
export async function takeSnapshot(
  context: Context,
  actor: Actor,
  vmId: number,
  input: TakeSnapshot,
  idempotencyKey: string | null,
): Promise<Operation> {
  const request = ["take-snapshot", vmId, input];
  const once = { actor, key: idempotencyKey, request, makes: "operationId" } as const;
  const operationId = await withSnapshotNameTaken(input.name, () =>
    makeOnce(context, once, async (tx) => {
      const vm = await lockVm(tx, vmId);
      const { operation } = await requestSnapshot(tx, actor, vm, { ...input, origin: "user" });
      return operation.id;
    }),
  );
  failpoint("snapshot.committed");
  return getOperation(context, operationId);
}

export interface SnapshotAsk {
  origin: SnapshotOrigin;
  name?: string | undefined;
  note?: string | undefined;
  memory?: boolean | undefined;
}

/**
 * Writes down that a snapshot of a VM is to be, in the caller's transaction, which holds the VM's row.
 * @throws `wrong_state`, `conflict` while the VM is being restored; the database's `snapshots_live_name` when the name is taken
 */
export async function requestSnapshot(
  tx: Queryable,
  actor: Actor,
  vm: VmRow,
  ask: SnapshotAsk,
): Promise<{ snapshot: SnapshotRow; operation: OperationRow }> {
  const memory = ask.memory ?? false;
  await demandSnapshotAct(tx, vm, memory ? "memory-snapshot" : "snapshot");
  const snapshot = await insertSnapshot(tx, vm, ask);
  const operation = await requestTask(tx, {
    kind: "snapshot-take",
    taskKind: "snapshot-take",
    params: { vmId: vm.id, snapshotId: snapshot.id, memory, freeze: true },
    actor: actorName(actor),
    vmId: vm.id,
    subject: snapshot.name,
  });
  return { snapshot, operation };
}

/** The row of a snapshot that is still to be taken. */
export async function insertSnapshot(tx: Queryable, vm: VmRow, ask: SnapshotAsk): Promise<SnapshotRow> {
  const { origin, note = "", memory = false } = ask;
  const name = ask.name ?? (await freeSnapshotName(tx, vm.id, new Date().toISOString().slice(0, 19).replace("T", " ")));
  const [snapshot] = await tx
    .insert(snapshots)
    .values({ vmId: vm.id, name, note, origin, hasMemory: memory })
    .returning();
  if (!snapshot) throw new CumulusError("internal", "The snapshot could not be written.");
  await announce(tx, { kind: "snapshot", id: snapshot.id, vmId: vm.id });
  return snapshot;
}

/** Tells that a name is taken as the user should read it. */
export async function withSnapshotNameTaken<T>(name: string | undefined, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (violatedUnique(error) !== "snapshots_live_name") throw error;
    throw new CumulusError("conflict", `This VM has a snapshot named ${name} already.`, {
      fields: { name: "This name is taken." },
    });
  }
}
