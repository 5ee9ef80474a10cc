import { asc, eq, isNull, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { networks } from "../../db/schema/networks";
import { labVms, vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import type { CreateVm, Vm } from "../../domain/vm";
import type { Actor, Context } from "../context";
import { resolveImage } from "../images/resolve";
import { resolveVm } from "../vms/create";
import { insertVm } from "../vms/insert";
import { getVm } from "../vms/view";
import { hostnameOf } from "./hostname";

/** A VM with what the lab calls it; those that were made elsewhere are called what they are called there. */
export interface LabVm {
  vm: Vm;
  name: string;
  image: string;
}

/** All live VMs, by id. */
export async function listLabVms(context: Context): Promise<{ id: number; name: string }[]> {
  const rows = await context.db
    .select({ id: vms.id, name: vms.name, labName: labVms.name })
    .from(vms)
    .leftJoin(labVms, eq(labVms.vmId, vms.id))
    .where(isNull(vms.deletedAt))
    .orderBy(asc(vms.id));
  return rows.map(({ id, name, labName }) => ({ id, name: labName ?? name }));
}

/** @throws `not_found` */
export async function getLabVm(context: Context, id: number): Promise<LabVm> {
  const vm = await getVm(context, id);
  const [row] = await context.db.select().from(labVms).where(eq(labVms.vmId, id));
  return { vm, name: row?.name ?? vm.name, image: row?.image ?? vm.image.name };
}

export async function hasNetwork(context: Context, name: string): Promise<boolean> {
  const [row] = await context.db.select({ id: networks.id }).from(networks).where(eq(networks.name, name));
  return row !== undefined;
}

/** Whether there is an image of this name, or with this alias. */
export async function hasImage(context: Context, name: string): Promise<boolean> {
  try {
    await resolveImage(context.db, name, { kind: "any" });
    return true;
  } catch (error) {
    if (error instanceof CumulusError && error.code === "bad_request") return false;
    throw error;
  }
}

/**
 * Writes down that a VM is to exist under any name; its hostname is one like it.
 * @param labName the name as asked @param image the image's name as asked
 * @throws `conflict` when a live VM has the name
 */
export async function createLabVm(
  context: Context,
  actor: Actor,
  { labName, image }: { labName: string; image: string },
  input: Omit<CreateVm, "name">,
): Promise<number> {
  return context.db.transaction(async (tx) => {
    // Two requests for one name: the second waits, and then sees the first.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtext('lab-names'))`);
    const taken = await liveNames(tx);
    if (taken.some((one) => (one.labName ?? one.name) === labName)) {
      throw new CumulusError("conflict", `vm "${labName}" already exists`);
    }
    const name = freeHostname(labName, new Set(taken.map((one) => one.name)));
    const { vm } = await insertVm(tx, actor, await resolveVm(tx, { ...input, name }));
    await tx.insert(labVms).values({ vmId: vm.id, name: labName, image });
    return vm.id;
  });
}

function liveNames(tx: Queryable) {
  return tx
    .select({ name: vms.name, labName: labVms.name })
    .from(vms)
    .leftJoin(labVms, eq(labVms.vmId, vms.id))
    .where(isNull(vms.deletedAt));
}

function freeHostname(labName: string, taken: Set<string>): string {
  for (let number = 1; ; number++) {
    const name = hostnameOf(labName, number);
    if (!taken.has(name)) return name;
  }
}
