import { and, eq, isNull } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { violatedUnique } from "../../db/errors";
import type { images } from "../../db/schema/images";
import type { networks } from "../../db/schema/networks";
import { vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import type { Size } from "../../domain/size";
import { announce } from "../changes";
import type { Actor } from "../context";
import { requestConverge } from "../jobs";
import { bindAddress, takeAddress } from "../networks/addresses";
import { attachFirewalls } from "../networks/firewalls";
import { takeMac } from "../networks/macs";
import { actorName, addOperation, type OperationRow } from "../operations";
import { admitVm } from "./admit";
import { allocateSshPort } from "./allocate";
import { firmwareOf } from "./firmware";
import { announceSource } from "./madeFrom";
import type { VmRow } from "./view";

/** A VM's numbers; `name` is the named size that they are. */
export type Shape = Omit<Size, "name"> & { name: string | null };

/** All that a new VM is, checked and looked up. */
export interface NewVm
  extends Pick<VmRow, "name" | "sshKeys" | "userData" | "files" | "firmware">,
    Partial<Pick<VmRow, "firstBoot" | "cdromImageId" | "bootFrom">> {
  kind: "create" | "clone";
  image: typeof images.$inferSelect;
  /** The snapshot that its disk starts from; null: the image. */
  fromSnapshotId: number | null;
  shape: Shape;
  network: typeof networks.$inferSelect;
  /** Its address there; the lowest free one when not given. */
  ipv4?: string | undefined;
  /** Any when not given. */
  mac?: string | undefined;
  /** Ids of firewalls that it has from the start. */
  firewalls?: readonly number[];
}

/**
 * Writes down that a VM is to exist and run. What it needs of the host is allocated here, so that there is nothing to undo.
 * @throws `insufficient_capacity`, `unavailable`; the database's `vms_live_name` when the name is taken
 */
export async function insertVm(
  tx: Queryable,
  actor: Actor,
  wanted: NewVm,
): Promise<{ vm: VmRow; operation: OperationRow }> {
  const { kind, name, image, fromSnapshotId, shape, network, sshKeys, userData, files } = wanted;
  const { firmware, firstBoot, cdromImageId, bootFrom } = wanted;
  const { memoryBytes, diskBytes } = shape;
  const host = await admitVm(tx, { arch: image.arch, firmware: firmwareOf(wanted, image), memoryBytes, diskBytes });

  const { ipv4, reservedMac } = await takeAddress(tx, network, wanted.ipv4);
  const accepted = new Date().toISOString();
  const [vm] = await tx
    .insert(vms)
    .values({
      name,
      hostId: host.id,
      imageId: image.id,
      fromSnapshotId,
      sizeName: shape.name,
      vcpus: shape.vcpus,
      memoryBytes,
      diskBytes,
      networkId: network.id,
      ipv4,
      mac: await takeMac(tx, wanted.mac, reservedMac),
      sshHostPort: await allocateSshPort(tx, host.id),
      sshKeys,
      userData,
      files,
      firmware,
      firstBoot,
      cdromImageId,
      bootFrom,
      desired: "running",
      milestones: { accepted, image: accepted },
    })
    .returning();
  if (!vm) throw new CumulusError("internal", "The VM could not be written.");
  await bindAddress(tx, network.id, ipv4, vm.id);
  await attachFirewalls(tx, vm, wanted.firewalls ?? []);
  const operation = await addOperation(tx, { kind, vmId: vm.id, generation: vm.generation, actor: actorName(actor) });
  await requestConverge(tx, vm.id);
  await announce(tx, { kind: "vm", id: vm.id });
  await announceSource(tx, fromSnapshotId);
  return { vm, operation };
}

/** Tells that a name is taken as the user should read it. */
export async function withNameTaken<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (violatedUnique(error) !== "vms_live_name") throw error;
    throw nameTaken(name);
  }
}

/** Refuses a name that is taken now, before long work for a VM of that name. @throws `conflict` */
export async function assertNameFree(db: Queryable, name: string): Promise<void> {
  const [present] = await db
    .select({ id: vms.id })
    .from(vms)
    .where(and(eq(vms.name, name), isNull(vms.deletedAt)));
  if (present) throw nameTaken(name);
}

function nameTaken(name: string): CumulusError {
  const fields = { name: "This name is taken." };
  return new CumulusError("conflict", `A VM named ${name} exists already.`, { fields });
}
