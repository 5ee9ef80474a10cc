import { and, eq, inArray, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { hosts } from "../../db/schema/hosts";
import { operations } from "../../db/schema/operations";
import { snapshots, vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import type { Operation } from "../../domain/operation";
import type { RestoreSnapshot, SnapshotManifest } from "../../domain/snapshot";
import type { Milestones } from "../../domain/timeline";
import type { Desired } from "../../domain/vmStatus";
import { failpoint } from "../../failpoints";
import { announce } from "../changes";
import type { Actor, Context } from "../context";
import { requestConverge } from "../jobs";
import { actorName, getOperation, openStatuses, supersedeOpenOperations } from "../operations";
import { requestTask } from "../tasks/request";
import { admitMemory } from "../vms/allocate";
import type { VmRow } from "../vms/view";
import { demandSnapshotAct } from "./demand";
import { isShown, lockSnapshot, type SnapshotRow, snapshotNotFound, wholeManifestOf } from "./find";
import { insertSnapshot } from "./take";

/** What the host is told, and what the end of the task needs to know (lib/control/snapshots/restoreEffects.ts). */
export interface RestoreParams {
  vmId: number;
  snapshotId: number;
  /** Whether the guest goes on with the memory of the snapshot, or boots from its disk. */
  memory: boolean;
  /** A snapshot of what is replaced, to be taken first. */
  safety: { snapshotId: number; memory: boolean } | null;
  /** The VM's generation that this wrote: a later one is not touched when it fails. */
  generation: number;
  /** What was wanted of the VM until then: wanted again when it fails. */
  desiredBefore: Desired;
  /** By whose clock a guest goes on that the restore did not come to; restores that were asked for before these were written down have none. */
  milestonesBefore?: Milestones | undefined;
}

/**
 * Asks for a VM to be put back to a snapshot of its own and answers when that is durable. The converger leaves the VM alone until it is done. With
 * memory the VM is to run from then on; without, it is to be as it is.
 * @throws `wrong_state` naming the allowed states, `conflict` when the VM is gone or being restored, `insufficient_capacity`
 */
export async function restoreSnapshot(
  context: Context,
  actor: Actor,
  id: number,
  input: RestoreSnapshot,
): Promise<Operation> {
  const operation = await context.db.transaction(async (tx) => {
    const vm = await lockOwner(tx, id);
    const snapshot = await lockSnapshot(tx, id);
    const manifest = wholeManifestOf(snapshot);
    await demandSnapshotAct(tx, vm, "restore");
    const memory = withMemory(manifest, input);
    if (memory) await admit(tx, vm, manifest);
    const safety = input.safetySnapshot ? await insertSafety(tx, vm, snapshot) : null;
    const generation = await writeIntent(tx, vm, manifest, memory);
    await announce(tx, { kind: "snapshot", id, vmId: vm.id });
    const before = { desiredBefore: vm.desired, milestonesBefore: vm.milestones };
    const params: RestoreParams = { vmId: vm.id, snapshotId: id, memory, safety, generation, ...before };
    return requestTask(tx, {
      kind: "snapshot-restore",
      taskKind: "snapshot-restore",
      params: { ...params },
      actor: actorName(actor),
      vmId: vm.id,
      subject: snapshot.name,
    });
  });
  failpoint("restore.committed");
  return getOperation(context, operation.id);
}

/** @throws `bad_request` when there is no memory to come back */
function withMemory({ hasMemory }: SnapshotManifest, { memory = hasMemory }: RestoreSnapshot): boolean {
  if (hasMemory || !memory) return memory;
  const message = "This snapshot is of the disk alone: there is no memory to go on with.";
  throw new CumulusError("bad_request", message, { fields: { memory: message } });
}

/** A VM that is to be gone needs no restore. */
export async function cancelRestores(tx: Queryable, vmId: number): Promise<void> {
  await tx
    .update(operations)
    .set({ isCancelled: true })
    .where(
      and(
        eq(operations.vmId, vmId),
        eq(operations.kind, "snapshot-restore"),
        inArray(operations.status, [...openStatuses]),
      ),
    );
}

/** Held before the snapshot, as by whoever destroys a VM with its snapshots. */
async function lockOwner(tx: Queryable, snapshotId: number): Promise<VmRow> {
  const [owned] = await tx
    .select({ vm: vms, name: snapshots.name })
    .from(snapshots)
    .innerJoin(vms, eq(vms.id, snapshots.vmId))
    .where(and(eq(snapshots.id, snapshotId), isShown))
    .for("update", { of: vms });
  if (!owned) throw snapshotNotFound(snapshotId);
  const { vm, name } = owned;
  if (vm.deletedAt === null) return vm;
  throw new CumulusError("conflict", `The VM of the snapshot ${name} is destroyed. Create a new VM from it instead.`);
}

async function admit(tx: Queryable, vm: VmRow, manifest: SnapshotManifest): Promise<void> {
  const [host] = await tx.select().from(hosts).where(eq(hosts.id, vm.hostId)).for("update");
  if (host) await admitMemory(tx, host, manifest.machine.memoryBytes, vm.id);
}

async function insertSafety(tx: Queryable, vm: VmRow, restored: SnapshotRow): Promise<RestoreParams["safety"]> {
  const memory = vm.observed === "running" || vm.observed === "paused";
  const note = `Taken before the VM was restored to “${restored.name}”.`;
  const { id } = await insertSnapshot(tx, vm, { origin: "safety", note, memory });
  return { snapshotId: id, memory };
}

/**
 * Of the boot that a memory snapshot goes on with. What came since, a start or a restore of a disk, has a clock of its own, by which that boot would be one that
 * is over.
 */
function milestonesOfBootIn({ milestones }: VmRow, { createdAt }: SnapshotManifest): Milestones {
  const { accepted, disk } = milestones;
  const isOfThatBoot = accepted !== undefined && Date.parse(accepted) <= Date.parse(createdAt);
  return isOfThatBoot ? milestones : { ...(disk && { disk }) };
}

/** A new intent: what failed before is forgotten. The timeline begins anew, but for a guest that goes on in its boot. */
async function writeIntent(tx: Queryable, vm: VmRow, manifest: SnapshotManifest, memory: boolean): Promise<number> {
  await supersedeOpenOperations(tx, vm.id);
  const generation = vm.generation + 1;
  const accepted = new Date().toISOString();
  const { disk } = vm.milestones;
  const change: Partial<VmRow> = memory
    ? { desired: "running", milestones: milestonesOfBootIn(vm, manifest) }
    : { milestones: { accepted, image: accepted, ...(disk && { disk }) } };
  await tx
    .update(vms)
    .set({
      ...change,
      generation,
      lastError: null,
      intentAt: new Date(),
      updatedAt: sql`now()`,
    })
    .where(eq(vms.id, vm.id));
  await requestConverge(tx, vm.id);
  await announce(tx, { kind: "vm", id: vm.id });
  return generation;
}
