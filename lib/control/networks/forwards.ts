import { and, eq, isNull, or, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { portForwards } from "../../db/schema/vmNetworking";
import { vms } from "../../db/schema/vms";
import { isOfConsolePort } from "../../domain/consolePort";
import { CumulusError } from "../../domain/errors";
import type { NetworkRemoval } from "../../domain/network";
import { type AddedForward, allAddresses, type CreateForward, loopbackAddress } from "../../domain/portForward";
import { announce } from "../changes";
import type { Context } from "../context";
import { lockVm } from "../vms/power";
import { getVmRecord } from "../vms/view";
import { applyNetworks, requestNetworks, settleNetworks } from "./apply";
import { networkDriverOf, whyNotForwardable } from "./driver";
import { programBehind, whyNoAddress } from "./hostPorts";
import { networksPending } from "./pending";
import { hostSees, whyBroken } from "./view";

/**
 * Makes a port of the host lead to one of a VM, at once.
 * @throws `not_found`; `bad_request` for an address that isn't the host's; `conflict` when another forward, or a program of the host, has the port;
 * `wrong_state` where the VM runs otherwise than its host does networks now
 */
export async function addForward(context: Context, vmId: number, input: CreateForward): Promise<AddedForward> {
  const { vm } = await getVmRecord(context.db, vmId);
  const network = await networkDriverOf(context.db);
  const whyNot = whyNotForwardable(network, vm);
  if (whyNot !== null) throw new CumulusError("wrong_state", `${whyNot} Nothing is changed.`);
  if (isOfConsolePort(input, context.settings.port)) {
    throw portTaken(input, "Cumulus itself listens there");
  }
  if (network?.driver === "user") await refuseInUserMode(context, input);
  else await refuseTaken(context, input);
  const forward = await context.db.transaction(async (tx) => {
    // Two that would share a port without being equal must not pass each other by.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtext('port-forwards'))`);
    await lockVm(tx, vmId);
    const holder = await holderOf(tx, input);
    if (holder !== undefined) throw portTaken(input, `it leads to ${holder} already`);
    const [row] = await tx
      .insert(portForwards)
      .values({ ...input, vmId })
      .returning();
    if (!row) throw new CumulusError("internal", "The forward could not be written.");
    await requestNetworks(tx);
    await announce(tx, { kind: "vm", id: vmId });
    return { ...row, whyNot: null, warning: null };
  });
  await settleNetworks(context);
  return { ...forward, pending: await forwardPending(context, forward) };
}

/** Has a port of the host lead to a VM no more, or the answer says why it still does. @throws `not_found` */
export async function removeForward(context: Context, vmId: number, id: number): Promise<NetworkRemoval> {
  const removed = await context.db.transaction(async (tx) => {
    const [row] = await tx
      .delete(portForwards)
      .where(and(eq(portForwards.id, id), eq(portForwards.vmId, vmId)))
      .returning();
    if (!row) throw new CumulusError("not_found", `VM ${vmId} has no forward ${id}.`);
    await requestNetworks(tx);
    await announce(tx, { kind: "vm", id: vmId });
    return row;
  });
  await settleNetworks(context);
  return { pending: await forwardPending(context, removed) };
}

/** Why a forward that was just written down or removed is not in effect so: the host doesn't do it or, in user mode, the VM's QEMU doesn't; null when it is. */
async function forwardPending(context: Context, forward: typeof portForwards.$inferSelect): Promise<string | null> {
  const pending = await networksPending(context);
  if (pending !== null) return pending;
  if ((await networkDriverOf(context.db))?.driver !== "user") return null;
  return whyBroken(await hostSees(context), forward);
}

/** What goes to a program of the host must go on to it, and what goes to others is none of ours. */
async function refuseTaken({ agent }: Context, input: CreateForward): Promise<void> {
  const host = await agent.networkStatus();
  const message = whyNoAddress(host, input);
  if (message !== null) throw new CumulusError("bad_request", message, { fields: { hostAddress: message } });
  if (programBehind(host, input)) throw portTaken(input, "a program of the host listens there");
}

/** QEMU itself listens: without privileges, and on the loopback alone, since nothing guards what comes from elsewhere. */
async function refuseInUserMode(context: Context, input: CreateForward): Promise<void> {
  const { hostAddress, hostPort, protocol } = input;
  if (hostAddress !== loopbackAddress) {
    const message = `With user-mode networks, ports of ${loopbackAddress} alone are forwarded: no firewall of the VM's would stand behind a port that others reach.`;
    throw new CumulusError("bad_request", message, { fields: { hostAddress: message } });
  }
  const holder = protocol === "tcp" ? await holderOfSshPort(context.db, hostPort) : undefined;
  if (holder !== undefined) throw portTaken(input, `it leads to the SSH of ${holder}`);
  const other = await holderOf(context.db, input);
  if (other !== undefined) throw portTaken(input, `it leads to ${other} already`);
  if ((await context.agent.whyPortTaken(protocol, hostPort)) === null) return;
  // It may be a forward's that was just removed.
  await applyNetworks(context);
  const whyTaken = await context.agent.whyPortTaken(protocol, hostPort);
  if (whyTaken !== null) throw portTaken(input, whyTaken);
}

async function holderOfSshPort(db: Queryable, port: number): Promise<string | undefined> {
  const [row] = await db
    .select({ name: vms.name })
    .from(vms)
    .where(and(eq(vms.sshHostPort, port), isNull(vms.deletedAt)));
  return row?.name;
}

/** The VM that a port leads to, at this address of the host or at all of them. */
async function holderOf(
  tx: Queryable,
  { hostAddress, hostPort, protocol }: CreateForward,
): Promise<string | undefined> {
  const isSameAddress =
    hostAddress === allAddresses
      ? undefined
      : or(eq(portForwards.hostAddress, hostAddress), eq(portForwards.hostAddress, allAddresses));
  const [row] = await tx
    .select({ name: vms.name })
    .from(portForwards)
    .innerJoin(vms, eq(vms.id, portForwards.vmId))
    .where(and(eq(portForwards.hostPort, hostPort), eq(portForwards.protocol, protocol), isSameAddress))
    .limit(1);
  return row?.name;
}

function portTaken({ hostPort, hostAddress, protocol }: CreateForward, why: string): CumulusError {
  const message = `Port ${hostPort} (${protocol}) of ${hostAddress} can't be had: ${why}.`;
  return new CumulusError("conflict", message, { fields: { hostPort: message } });
}
