import { and, eq, isNull } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { images } from "../../db/schema/images";
import { snapshots, vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import type { CreateImage } from "../../domain/imageRequest";
import { demandSnapshotAct } from "../snapshots/demand";
import { firmwareOf } from "../vms/firmware";
import { loginUserOf } from "../vms/loginUser";
import type { ImageTask } from "./request";

/** Makes an image of a VM's or a snapshot's disk. What it says of itself is what the image said that the VM was made from. */
export async function captureTask(tx: Queryable, input: CreateImage): Promise<ImageTask> {
  const { name = "", title, description } = input;
  const { vm, image, snapshot } = await capturedDisk(tx, input);
  const firmware = snapshot?.manifest?.machine.firmware ?? firmwareOf(vm, image);
  const from = snapshot ? `the snapshot “${snapshot.name}” of ${vm.name}` : `the disk of ${vm.name}`;
  const described = {
    name,
    title: title ?? name,
    description: description ?? `Made from ${from}.`,
    // A system that was installed from an ISO boots with what it was installed with alone.
    ...{ arch: image.arch, firmware, firmwares: image.kind === "iso" ? [firmware] : image.firmwares },
    loginUser: loginUserOf(vm, image),
    ...{ minMemoryBytes: image.minMemoryBytes, os: image.os, endOfLife: image.endOfLife },
    source: { type: "vm" as const, vmName: vm.name, snapshotName: snapshot?.name ?? null },
  };
  const disk = snapshot ? { snapshotId: snapshot.id } : { vmId: vm.id };
  // No `vmId`: the VM does not wait for it, and a snapshot's may be gone.
  return { kind: "image-capture", params: { disk, image: described }, subject: name };
}

async function capturedDisk(tx: Queryable, { vm: vmId, snapshot: snapshotId }: CreateImage) {
  if (snapshotId === undefined) {
    const [row] = await tx
      .select({ vm: vms, image: images })
      .from(vms)
      .innerJoin(images, eq(images.id, vms.imageId))
      .where(and(eq(vms.id, vmId ?? 0), isNull(vms.deletedAt)));
    if (!row) throw notThere("vm", `There is no VM ${vmId}.`);
    if (!row.vm.milestones.disk) throw notThere("vm", `VM ${row.vm.name} has no disk yet.`);
    await demandSnapshotAct(tx, row.vm, "image");
    return { ...row, snapshot: null };
  }
  const [row] = await tx
    .select({ vm: vms, image: images, snapshot: snapshots })
    .from(snapshots)
    .innerJoin(vms, eq(vms.id, snapshots.vmId))
    .innerJoin(images, eq(images.id, vms.imageId))
    .where(and(eq(snapshots.id, snapshotId), isNull(snapshots.deletedAt)));
  if (row?.snapshot.manifest && row.snapshot.desired === "present") return row;
  throw notThere("snapshot", `There is no snapshot ${snapshotId} that is whole.`);
}

function notThere(field: string, message: string): CumulusError {
  return new CumulusError("bad_request", message, { fields: { [field]: message } });
}
