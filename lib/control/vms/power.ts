import { and, eq, isNull, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { hosts } from "../../db/schema/hosts";
import { vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import type { Operation } from "../../domain/operation";
import type { Milestones } from "../../domain/timeline";
import { defaultShutdownDeadlineSeconds } from "../../domain/vm";
import { type VmAction, vmActionStatuses, whyNot } from "../../domain/vmStatus";
import { failpoint } from "../../failpoints";
import { announce } from "../changes";
import type { Actor, Context } from "../context";
import { requestConverge } from "../jobs";
import {
  actorName,
  addFinishedOperation,
  addOperation,
  getOperation,
  type OperationRow,
  supersedeOpenOperations,
} from "../operations";
import { admitMemory } from "./allocate";
import { statusOf, type VmRow, vmNotFound } from "./view";

export type PowerAction = Exclude<VmAction, "resize" | "destroy">;

/**
 * Asks for a change of power and answers when that is durable; the operation says when it is done.
 * @throws `wrong_state` naming the allowed states, `insufficient_capacity` when it would start without room
 */
export async function powerVm(
  context: Context,
  actor: Actor,
  id: number,
  action: PowerAction,
  options: { deadlineSeconds?: number | undefined } = {},
): Promise<Operation> {
  const operation = await context.db.transaction(async (tx) => {
    const vm = await lockVm(tx, id);
    refuseWrongState(vm, action);
    const row = await writeIntent(tx, actor, vm, action, options);
    await requestConverge(tx, id);
    await announce(tx, { kind: "vm", id });
    return row;
  });
  if (action === "start") failpoint("start.committed");
  if (action === "stop") failpoint("stop.committed");
  return getOperation(context, operation.id);
}

/** The VM's row, held until the transaction ends. @throws `not_found` */
export async function lockVm(tx: Queryable, id: number): Promise<VmRow> {
  const [vm] = await tx
    .select()
    .from(vms)
    .where(and(eq(vms.id, id), isNull(vms.deletedAt)))
    .for("update");
  if (!vm) throw vmNotFound(id);
  return vm;
}

export function refuseWrongState(vm: VmRow, action: VmAction): void {
  const reason = whyNot(action, statusOf(vm, Date.now()));
  if (reason) throw new CumulusError("wrong_state", reason, { allowed: [...vmActionStatuses[action]] });
}

async function writeIntent(
  tx: Queryable,
  actor: Actor,
  vm: VmRow,
  action: PowerAction,
  options: { deadlineSeconds?: number | undefined },
): Promise<OperationRow> {
  const asked = { kind: action, vmId: vm.id, actor: actorName(actor) };
  switch (action) {
    case "start": {
      const isRunning = vm.desired === "running" && vm.observed === "running" && vm.lastError === null;
      if (isRunning) return addFinishedOperation(tx, { ...asked, message: "It runs already." });
      const [host] = await tx.select().from(hosts).where(eq(hosts.id, vm.hostId)).for("update");
      if (host) await admitMemory(tx, host, vm.memoryBytes, vm.id);
      return newGeneration(tx, vm, asked, { desired: "running", milestones: milestonesOfStart(vm) });
    }
    case "stop":
    case "shutdown": {
      const isStopped =
        vm.desired === "stopped" && ["stopped", "absent"].includes(vm.observed) && vm.lastError === null;
      if (isStopped) return addFinishedOperation(tx, { ...asked, message: "It is off already." });
      const deadlineMs = (options.deadlineSeconds ?? defaultShutdownDeadlineSeconds) * 1000;
      return newGeneration(tx, vm, asked, {
        desired: "stopped",
        stopMode: action === "stop" ? "power-off" : "acpi",
        stopDeadlineAt: action === "stop" ? null : new Date(Date.now() + deadlineMs),
      });
    }
    case "reboot":
    case "reset":
    case "pause":
    case "resume":
      return addOperation(tx, { ...asked, bootCountBefore: vm.bootCount });
  }
}

/** A clock of its own for a boot that begins; a guest that was to go down and hasn't goes on by the one that it has, unless it does (lib/control/observations.ts). */
function milestonesOfStart({ observed, milestones }: VmRow): Milestones {
  if (observed === "running" || observed === "paused") return milestones;
  const accepted = new Date().toISOString();
  const { disk } = milestones;
  return { accepted, image: accepted, ...(disk && { disk }) };
}

/** Writes a new intent: what was asked before is superseded, what failed before is forgotten. */
export async function newGeneration(
  tx: Queryable,
  vm: VmRow,
  asked: Pick<OperationRow, "kind" | "vmId" | "actor">,
  values: Partial<VmRow>,
): Promise<OperationRow> {
  await supersedeOpenOperations(tx, vm.id);
  const generation = vm.generation + 1;
  await tx
    .update(vms)
    .set({ ...values, generation, lastError: null, intentAt: new Date(), updatedAt: sql`now()` })
    .where(eq(vms.id, vm.id));
  return addOperation(tx, { ...asked, generation });
}
