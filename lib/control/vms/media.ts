import { and, eq, inArray, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { images } from "../../db/schema/images";
import { operations } from "../../db/schema/operations";
import { vms } from "../../db/schema/vms";
import { CumulusError, messageOf } from "../../domain/errors";
import type { Operation } from "../../domain/operation";
import type { ChangeCdrom } from "../../domain/vm";
import { announce } from "../changes";
import type { Actor, Context } from "../context";
import { resolveImage } from "../images/resolve";
import type { ImageRow } from "../images/view";
import { requestConverge } from "../jobs";
import {
  actorName,
  addFinishedOperation,
  addOperation,
  finishOperation,
  getOperation,
  openStatuses,
} from "../operations";
import { specOf } from "../spec";
import { lockVm } from "./power";
import { getVmRecord, type VmRow } from "./view";

/**
 * Writes down which ISO is to lie in a VM's CD-ROM drive, and what it boots from; the operation says when it is so. A VM that runs gets the disc at once,
 * and the new order at its next reset.
 * @throws `bad_request` for no such ISO, `wrong_state` for a VM that is being destroyed
 */
export async function changeCdrom(
  context: Context,
  actor: Actor,
  id: number,
  { image: wanted, bootFrom }: ChangeCdrom,
): Promise<Operation> {
  const operationId = await context.db.transaction(async (tx) => {
    const vm = await lockVm(tx, id);
    if (vm.desired === "deleted") throw new CumulusError("wrong_state", "This VM is being destroyed.");
    const image = wanted == null ? null : await resolveImage(tx, wanted, { kind: "iso" });
    if (image) await refuseForeignDisc(tx, vm, image);
    const cdromImageId = wanted === undefined ? vm.cdromImageId : (image?.id ?? null);
    await tx
      .update(vms)
      .set({ cdromImageId, bootFrom: bootFrom ?? vm.bootFrom, updatedAt: sql`now()` })
      .where(eq(vms.id, id));
    const subject = image?.name ?? null;
    const asked = { kind: "change-media" as const, vmId: id, actor: actorName(actor), subject };
    const operation = await addOperation(tx, asked);
    await requestConverge(tx, id);
    await announce(tx, { kind: "vm", id });
    // What can be removed, and what not, is another thing now.
    for (const changed of [vm.cdromImageId, cdromImageId]) {
      if (changed !== null) await announce(tx, { kind: "image", id: changed });
    }
    return operation.id;
  });
  return getOperation(context, operationId);
}

/** A machine boots what was made for its own architecture only. @throws `bad_request` */
async function refuseForeignDisc(tx: Queryable, vm: VmRow, disc: ImageRow): Promise<void> {
  const [image] = await tx.select({ arch: images.arch }).from(images).where(eq(images.id, vm.imageId));
  if (!image || image.arch === disc.arch) return;
  const message = `${disc.title} is for ${disc.arch}, and this VM is an ${image.arch} machine: it can't boot it.`;
  throw new CumulusError("bad_request", message, { fields: { image: message } });
}

/** Has the host do what was written down last; when that can't be done, what is in the drive counts as wanted, unless another change was asked for meanwhile. */
export async function performMediaChange(context: Context, vmId: number, operationId: number): Promise<void> {
  const record = await getVmRecord(context.db, vmId);
  try {
    await context.agent.ensure(specOf(record));
  } catch (error) {
    if (!(error instanceof CumulusError) || error.code === "unavailable") throw error;
    await takeBack(context, vmId, operationId, messageOf(error));
    return;
  }
  const disc = record.cdrom ? `${record.cdrom.title} is in the drive.` : "The drive is empty.";
  const order = record.vm.bootFrom === "cdrom" ? "It boots from the CD-ROM first." : "It boots from its disk first.";
  await finishOperation(context.db, operationId, { message: `${disc} ${order}` });
}

async function takeBack(context: Context, vmId: number, operationId: number, error: string): Promise<void> {
  const { cdromSha256 } = await context.agent.observe(vmId);
  await context.db.transaction(async (tx) => {
    await lockVm(tx, vmId);
    await finishOperation(tx, operationId, { error });
    if (await isChangeAsked(tx, vmId)) return;
    await tx
      .update(vms)
      .set({ cdromImageId: await imageIdOf(tx, cdromSha256), updatedAt: sql`now()` })
      .where(eq(vms.id, vmId));
    await announce(tx, { kind: "vm", id: vmId });
  });
}

/** @param vmId of a VM whose row the transaction holds, so that nobody asks meanwhile */
async function isChangeAsked(tx: Queryable, vmId: number): Promise<boolean> {
  const isAsked = and(
    eq(operations.vmId, vmId),
    eq(operations.kind, "change-media"),
    inArray(operations.status, [...openStatuses]),
  );
  return (await tx.$count(operations, isAsked)) > 0;
}

async function imageIdOf(tx: Queryable, sha256: string | null): Promise<number | null> {
  if (sha256 === null) return null;
  const [image] = await tx.select({ id: images.id }).from(images).where(eq(images.sha256, sha256));
  return image?.id ?? null;
}

/** A guest that ejects its disc is to have an empty drive, unless somebody has asked for another disc meanwhile. */
export async function acceptGuestEject(context: Context, { id }: VmRow): Promise<void> {
  await context.db.transaction(async (tx) => {
    const vm = await lockVm(tx, id);
    if (await isChangeAsked(tx, id)) return;
    await tx.update(vms).set({ cdromImageId: null, updatedAt: sql`now()` }).where(eq(vms.id, id));
    const message = "The guest ejected the disc in its CD-ROM drive.";
    await addFinishedOperation(tx, { kind: "guest-eject", vmId: id, actor: "system", message });
    await announce(tx, { kind: "vm", id });
    if (vm.cdromImageId !== null) await announce(tx, { kind: "image", id: vm.cdromImageId });
  });
}
