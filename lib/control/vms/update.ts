import { eq, sql } from "drizzle-orm";
import { violatedUnique } from "../../db/errors";
import { hosts } from "../../db/schema/hosts";
import { images } from "../../db/schema/images";
import { vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import { formatBytes } from "../../domain/units";
import type { UpdateVm, Vm } from "../../domain/vm";
import { announce } from "../changes";
import type { Actor, Context } from "../context";
import { requestConverge } from "../jobs";
import { requestNetworks } from "../networks/apply";
import { actorName, addFinishedOperation } from "../operations";
import { refuseWhileRestored } from "../snapshots/demand";
import { admitDisk } from "./allocate";
import { minimumOf, resolveShape } from "./create";
import { announceHeirs, announceSource } from "./madeFrom";
import { lockVm, refuseWrongState } from "./power";
import { getVm } from "./view";

/**
 * Renames, resizes, or both, or nothing at all when one of them is refused. The guest's hostname stays what the first boot made it.
 * @throws `wrong_state` for a new size unless stopped, `conflict` for a name that is taken, `bad_request` for a smaller disk
 */
export async function updateVm(context: Context, actor: Actor, id: number, input: UpdateVm): Promise<Vm> {
  try {
    await context.db.transaction(async (tx) => {
      const vm = await lockVm(tx, id);
      const asked = { vmId: id, actor: actorName(actor) };
      if (input.name !== undefined && input.name !== vm.name) {
        await tx.update(vms).set({ name: input.name, updatedAt: sql`now()` }).where(eq(vms.id, id));
        await requestNetworks(tx);
        await addFinishedOperation(tx, {
          ...asked,
          kind: "rename",
          message: `Renamed from ${vm.name} to ${input.name}.`,
        });
        await announceSource(tx, vm.fromSnapshotId);
        await announceHeirs(tx, { vmId: id });
      }
      const { name: _name, ...shapeInput } = input;
      if (Object.values(shapeInput).some((value) => value !== undefined)) {
        refuseWrongState(vm, "resize");
        await refuseWhileRestored(tx, vm);
        const [image] = await tx.select().from(images).where(eq(images.id, vm.imageId));
        const [host] = await tx.select().from(hosts).where(eq(hosts.id, vm.hostId));
        if (!image || !host) throw new CumulusError("internal", `VM ${id} has lost its image or host.`);
        const shape = resolveShape(shapeInput, minimumOf(image), { ...vm, name: vm.sizeName });
        if (shape.diskBytes < vm.diskBytes) {
          const message = `A disk only grows: it has ${formatBytes(vm.diskBytes)}.`;
          throw new CumulusError("bad_request", message, { fields: { disk: message } });
        }
        if (shape.diskBytes > vm.diskBytes) admitDisk(host, shape.diskBytes);
        const { name: sizeName, ...values } = shape;
        await tx
          .update(vms)
          .set({ ...values, sizeName, updatedAt: sql`now()` })
          .where(eq(vms.id, id));
        const message = `Resized to ${shape.vcpus} vCPU, ${formatBytes(shape.memoryBytes)} memory, ${formatBytes(shape.diskBytes)} disk.`;
        await addFinishedOperation(tx, { ...asked, kind: "resize", message });
        await requestConverge(tx, id);
      }
      await announce(tx, { kind: "vm", id });
    });
  } catch (error) {
    if (violatedUnique(error) !== "vms_live_name") throw error;
    throw new CumulusError("conflict", `A VM named ${input.name} exists already.`, {
      fields: { name: "This name is taken." },
    });
  }
  return getVm(context, id);
}
