import { and, eq, inArray, sql } from "drizzle-orm";
import { z } from "zod";
import type { Queryable } from "../../db/client";
import { networks } from "../../db/schema/networks";
import { operations } from "../../db/schema/operations";
import { interfaceLimits, vmInterfaces } from "../../db/schema/vmNetworking";
import { vms } from "../../db/schema/vms";
import { CumulusError, messageOf } from "../../domain/errors";
import type { HostReport } from "../../domain/host";
import type { Operation } from "../../domain/operation";
import type { Bandwidth, PlugInterface } from "../../domain/vmNetworking";
import { announce } from "../changes";
import type { Actor, Context } from "../context";
import { requestConverge } from "../jobs";
import { actorName, addOperation, finishOperation, getOperation, type OperationRow } from "../operations";
import { specOf } from "../spec";
import { lockVm } from "../vms/power";
import { getVmRecord, type VmRecord, type VmRow } from "../vms/view";
import { bindAddress, type NetworkRow, releaseAddresses, takeAddress, takeOwnAddressAgain } from "./addresses";
import { applyNetworks, requestNetworks, settleNetworks } from "./apply";
import { assertEnforceable, networkDriverOf, whyInterfacesStay } from "./driver";
import { takeMac } from "./macs";
import { holdNetwork } from "./networks";

/** What an operation on an interface says of it. */
const resultSchema = z.object({ interface: z.string() });

/** As many as QEMU's argv has ports for (lib/hypervisor/qemu/interfaces.ts), less the first. */
const furtherIds = ["net1", "net2", "net3", "net4", "net5", "net6", "net7"];

/**
 * Gives a VM an interface in a network; one that runs gets it plugged in. The operation says when, and as `result.interface` which.
 * @throws `bad_request` for no such network, `conflict` when that is full, the VM is in it or has eight, `wrong_state` on a host with user-mode networks
 */
export async function plugInterface(
  context: Context,
  actor: Actor,
  vmId: number,
  input: PlugInterface,
): Promise<Operation> {
  const operation = await context.db.transaction(async (tx) => {
    const vm = await lockVmToChange(tx, vmId);
    await assertEnforceable(tx, vm);
    const network = await holdNetwork(tx, input.network);
    const present = await tx.select().from(vmInterfaces).where(eq(vmInterfaces.vmId, vmId));
    refuseSecond(vm, present, network);
    const interfaceId = furtherIds.find((id) => !present.some((one) => one.interfaceId === id));
    if (interfaceId === undefined) {
      throw new CumulusError("conflict", "This VM has eight interfaces, the most there can be. Unplug one first.");
    }
    await addInterface(tx, { vmId, interfaceId }, network, input);
    return interfacesChanged(tx, actor, vmId, { subject: network.name, result: { interface: interfaceId } });
  });
  return getOperation(context, operation.id);
}

/** A guest answers for both addresses by one of the two interfaces, and what it sends by the wrong one is dropped as forged. */
function refuseSecond(vm: VmRow, present: readonly (typeof vmInterfaces.$inferSelect)[], network: NetworkRow): void {
  const own = present.find(({ networkId }) => networkId === network.id);
  if (own === undefined && vm.networkId !== network.id) return;
  const { interfaceId = "net0", isLeaving = false } = own ?? {};
  const message = isLeaving
    ? `${interfaceId}, which is in ${network.name}, is being unplugged. Wait until it is gone.`
    : `This VM is in ${network.name} by ${interfaceId} already: a second interface there would have an address that doesn't answer. Choose another network.`;
  throw new CumulusError("conflict", message, { fields: { network: message } });
}

async function addInterface(
  tx: Queryable,
  link: { vmId: number; interfaceId: string },
  network: NetworkRow,
  wanted: Pick<PlugInterface, "ipv4" | "mac"> = {},
): Promise<void> {
  const own = wanted.ipv4 === undefined ? null : await takeOwnAddressAgain(tx, network.id, wanted.ipv4, link.vmId);
  const { ipv4, reservedMac } = own ? { ...own, reservedMac: null } : await takeAddress(tx, network, wanted.ipv4);
  await bindAddress(tx, network.id, ipv4, link.vmId);
  const mac = wanted.mac === undefined && own?.mac ? own.mac : await takeMac(tx, wanted.mac, reservedMac);
  await tx.insert(vmInterfaces).values({ ...link, networkId: network.id, mac, ipv4 });
}

/**
 * Gives a new VM interfaces in the networks in which another has its further ones, one in each, with addresses and MACs of their own, in the caller's
 * transaction.
 * @throws `conflict` when a network is full
 */
export async function copyFurtherInterfaces(tx: Queryable, fromVmId: number, toVmId: number): Promise<void> {
  const links = await tx
    .select({ interfaceId: vmInterfaces.interfaceId, network: networks })
    .from(vmInterfaces)
    .innerJoin(networks, eq(networks.id, vmInterfaces.networkId))
    .where(and(eq(vmInterfaces.vmId, fromVmId), eq(vmInterfaces.isLeaving, false)))
    .orderBy(vmInterfaces.interfaceId)
    .for("key share", { of: networks });
  const [vm] = await tx.select({ networkId: vms.networkId }).from(vms).where(eq(vms.id, toVmId));
  const isIn = new Set([vm?.networkId]);
  for (const { interfaceId, network } of links) {
    if (isIn.has(network.id)) continue;
    isIn.add(network.id);
    await addInterface(tx, { vmId: toVmId, interfaceId }, network);
  }
}

/**
 * Takes an interface from a VM. Its address and link are held until the guest has let go of it, which the operation tells.
 * @throws `not_found`; `bad_request` for the first, which stays; `wrong_state` while the VM runs on bridges that its host has left
 */
export async function unplugInterface(
  context: Context,
  actor: Actor,
  vmId: number,
  interfaceId: string,
): Promise<Operation> {
  if (interfaceId === "net0") {
    throw new CumulusError("bad_request", "A VM's first interface stays: Cumulus reaches it there.");
  }
  const operation = await context.db.transaction(async (tx) => {
    const vm = await lockVmToChange(tx, vmId);
    refuseWhereTheyStay(await networkDriverOf(tx), vm);
    const [row] = await tx
      .update(vmInterfaces)
      .set({ isLeaving: true })
      .where(interfaceOf(vmId, interfaceId))
      .returning();
    if (!row) throw noInterface(vmId, interfaceId);
    return interfacesChanged(tx, actor, vmId, { subject: interfaceId, result: { interface: interfaceId } });
  });
  return getOperation(context, operation.id);
}

/** Limits an interface, at once. @throws `not_found`, `wrong_state` on a host with user-mode networks */
export async function limitInterface(
  context: Context,
  vmId: number,
  interfaceId: string,
  limit: Bandwidth,
): Promise<void> {
  await context.db.transaction(async (tx) => {
    await assertEnforceable(tx, await lockVm(tx, vmId));
    const isThere = interfaceId === "net0" || (await tx.$count(vmInterfaces, interfaceOf(vmId, interfaceId))) > 0;
    if (!isThere) throw noInterface(vmId, interfaceId);
    await tx
      .insert(interfaceLimits)
      .values({ vmId, interfaceId, ...limit })
      .onConflictDoUpdate({ target: [interfaceLimits.vmId, interfaceLimits.interfaceId], set: limit });
    await requestNetworks(tx);
    await announce(tx, { kind: "vm", id: vmId });
  });
  await settleNetworks(context);
}

/**
 * Has the host plug or unplug the interface of an operation. One that its guest doesn't let go of, it keeps. Others that are to leave have operations of their own.
 */
export async function performInterfaceChange(context: Context, vmId: number, operationId: number): Promise<void> {
  await applyNetworks(context);
  const [operation] = await context.db.select().from(operations).where(eq(operations.id, operationId));
  const { interface: interfaceId } = resultSchema.parse(operation?.result);
  const record = withOthersStaying(await getVmRecord(context.db, vmId), interfaceId);
  try {
    refuseWhereTheyStay(record.host.report?.network ?? null, record.vm);
    await context.agent.ensure(specOf(record));
  } catch (error) {
    if (!(error instanceof CumulusError) || error.code === "unavailable") throw error;
    await context.db.transaction(async (tx) => {
      await tx.update(vmInterfaces).set({ isLeaving: false }).where(interfaceOf(vmId, interfaceId));
      await finishOperation(tx, operationId, { error: messageOf(error) });
      await announce(tx, { kind: "vm", id: vmId });
    });
    return;
  }
  await forgetLeftInterfaces(context, record);
  await finishOperation(context.db, operationId, { message: "Its interfaces are as asked." });
}

function withOthersStaying(record: VmRecord, interfaceId: string): VmRecord {
  const furtherLinks = record.furtherLinks.map((one) =>
    one.link.interfaceId === interfaceId ? one : { ...one, link: { ...one.link, isLeaving: false } },
  );
  return { ...record, furtherLinks };
}

/**
 * Lets go of what interfaces had that the host has just been told to do without.
 * @param told the record that it was told by: an interface that is to leave since then is still there
 */
export async function forgetLeftInterfaces(context: Context, told: VmRecord): Promise<void> {
  const vmId = told.vm.id;
  const leftIds = told.furtherLinks.flatMap(({ link }) => (link.isLeaving ? [link.interfaceId] : []));
  if (leftIds.length === 0) return;
  await context.db.transaction(async (tx) => {
    const left = await tx
      .delete(vmInterfaces)
      .where(
        and(eq(vmInterfaces.vmId, vmId), inArray(vmInterfaces.interfaceId, leftIds), eq(vmInterfaces.isLeaving, true)),
      )
      .returning();
    if (left.length === 0) return;
    for (const row of left) {
      await tx
        .delete(interfaceLimits)
        .where(and(eq(interfaceLimits.vmId, vmId), eq(interfaceLimits.interfaceId, row.interfaceId)));
      await releaseAddresses(tx, vmId, row);
    }
    await requestNetworks(tx);
    await announce(tx, { kind: "vm", id: vmId });
  });
}

/** A host in user mode would say that it is done, and the VM would go on with an interface whose address another VM gets. */
function refuseWhereTheyStay(network: HostReport["network"] | null, vm: VmRow): void {
  const whyNot = whyInterfacesStay(network, vm);
  if (whyNot !== null) throw new CumulusError("wrong_state", whyNot);
}

async function lockVmToChange(tx: Queryable, vmId: number): Promise<VmRow> {
  const vm = await lockVm(tx, vmId);
  if (vm.desired === "deleted") throw new CumulusError("wrong_state", "This VM is being destroyed.");
  return vm;
}

async function interfacesChanged(
  tx: Queryable,
  actor: Actor,
  vmId: number,
  about: Pick<OperationRow, "subject" | "result">,
): Promise<OperationRow> {
  await tx.update(vms).set({ updatedAt: sql`now()` }).where(eq(vms.id, vmId));
  const asked = { kind: "change-interfaces" as const, vmId, actor: actorName(actor) };
  const operation = await addOperation(tx, { ...asked, ...about });
  await requestConverge(tx, vmId);
  await announce(tx, { kind: "vm", id: vmId });
  return operation;
}

function interfaceOf(vmId: number, interfaceId: string) {
  return and(eq(vmInterfaces.vmId, vmId), eq(vmInterfaces.interfaceId, interfaceId));
}

function noInterface(vmId: number, interfaceId: string): CumulusError {
  return new CumulusError("not_found", `VM ${vmId} has no interface ${interfaceId}.`);
}
