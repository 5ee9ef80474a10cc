import { randomUUID } from "node:crypto";
import { and, eq, isNull } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { images } from "../../db/schema/images";
import { networks } from "../../db/schema/networks";
import { vmFirewalls } from "../../db/schema/vmNetworking";
import { vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import type { Operation } from "../../domain/operation";
import type { CloneVm } from "../../domain/vm";
import { failpoint } from "../../failpoints";
import type { Actor, Context } from "../context";
import { makeOnce } from "../idempotency";
import type { NetworkRow } from "../networks/addresses";
import { copyFurtherInterfaces } from "../networks/interfaces";
import { actorName, getOperation } from "../operations";
import { requestTask } from "../tasks/request";
import { insertVm, withNameTaken } from "../vms/insert";
import { lockVm } from "../vms/power";
import { type VmRow, vmNotFound } from "../vms/view";
import { demandSnapshotAct } from "./demand";
import { insertSnapshot } from "./take";

/**
 * Asks for a copy of a VM's disk as a VM of its own, with the same shape, networks, firewalls and SSH keys. Its row is there at once; it is made when a snapshot
 * of the source is, which nobody sees and which goes with the clone's first disk (lib/control/snapshots/sweep.ts).
 * @returns the operation of the new VM: done when the clone runs
 * @throws `wrong_state` naming the allowed states, `conflict` when the name is taken, `insufficient_capacity`
 */
export async function cloneVm(
  context: Context,
  actor: Actor,
  sourceId: number,
  input: CloneVm,
  idempotencyKey: string | null,
): Promise<Operation> {
  const once = { actor, key: idempotencyKey, request: ["clone", sourceId, input], makes: "operationId" } as const;
  const operationId = await withNameTaken(input.name, () =>
    makeOnce(context, once, async (tx) => {
      const network = await holdNetworkOf(tx, sourceId);
      const source = await lockVm(tx, sourceId);
      await demandSnapshotAct(tx, source, "clone");
      const fromSnapshotId = await requestHiddenSnapshot(tx, actor, source, input.name);
      const { vm, operation } = await insertVm(tx, actor, {
        ...(await partsOf(tx, source)),
        network,
        kind: "clone",
        name: input.name,
        fromSnapshotId,
      });
      await copyFurtherInterfaces(tx, source.id, vm.id);
      return operation.id;
    }),
  );
  failpoint("clone.committed");
  return getOperation(context, operationId);
}

async function requestHiddenSnapshot(tx: Queryable, actor: Actor, source: VmRow, cloneName: string): Promise<number> {
  const { id } = await insertSnapshot(tx, source, { origin: "clone", name: randomUUID() });
  await requestTask(tx, {
    kind: "snapshot-take",
    taskKind: "snapshot-take",
    params: { vmId: source.id, snapshotId: id, memory: false, freeze: true },
    actor: actorName(actor),
    vmId: source.id,
    subject: `for the clone ${cloneName}`,
  });
  return id;
}

/** A live VM's first network, which is always the same. It is held before the VM is, as by who changes a network that VMs are in. @throws `not_found` */
async function holdNetworkOf(tx: Queryable, vmId: number): Promise<NetworkRow> {
  const [row] = await tx
    .select({ network: networks })
    .from(networks)
    .innerJoin(vms, eq(vms.networkId, networks.id))
    .where(and(eq(vms.id, vmId), isNull(vms.deletedAt)))
    .for("key share", { of: networks });
  if (!row) throw vmNotFound(vmId);
  return row.network;
}

/** What a clone shares with its source, beside its network. User data and files are left out: they were for the first boot, which the disk has behind it. */
async function partsOf(tx: Queryable, source: VmRow) {
  const [image] = await tx.select().from(images).where(eq(images.id, source.imageId));
  if (!image) throw new CumulusError("internal", `VM ${source.id} has lost its image.`);
  const { sizeName: name, vcpus, memoryBytes, diskBytes, sshKeys, firmware } = source;
  const shape = { name, vcpus, memoryBytes, diskBytes };
  const guards = await tx.select().from(vmFirewalls).where(eq(vmFirewalls.vmId, source.id));
  const firewalls = guards.map(({ firewallId }) => firewallId);
  return { image, shape, sshKeys, firmware, firewalls, userData: null, files: [] };
}
