import { and, eq, isNull, ne } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { networks } from "../../db/schema/networks";
import { vmInterfaces } from "../../db/schema/vmNetworking";
import { vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import type { NetworkStatus } from "../../domain/hostNetwork";
import { overlaps } from "../../domain/ipv4";

/** Live VMs with an interface in a network. */
export async function vmsIn(db: Queryable, id: number): Promise<{ name: string }[]> {
  const first = db
    .select({ name: vms.name })
    .from(vms)
    .where(and(eq(vms.networkId, id), isNull(vms.deletedAt)));
  const further = db
    .select({ name: vms.name })
    .from(vmInterfaces)
    .innerJoin(vms, eq(vms.id, vmInterfaces.vmId))
    .where(and(eq(vmInterfaces.networkId, id), isNull(vms.deletedAt)));
  return first.union(further);
}

/** The domain of a network that none was chosen for. */
export function defaultDomainOf(name: string): string {
  return `${name}.internal`;
}

/** @param except a network that may have it @throws `conflict` when another network has the domain */
export async function refuseDomain(db: Queryable, field: string, domain: string, except?: number): Promise<void> {
  const [other] = await db
    .select({ name: networks.name })
    .from(networks)
    .where(and(eq(networks.domain, domain), except === undefined ? undefined : ne(networks.id, except)));
  // A name that is taken is told of as such.
  if (!other || (field === "name" && domain === defaultDomainOf(other.name))) return;
  throw refused(field, `The network ${other.name} has the domain ${domain}. Choose another ${field}.`);
}

/** @param except a network that may overlap it @throws `conflict` when another network does */
export async function refuseOverlap(db: Queryable, cidr: string, except?: number): Promise<void> {
  const others = await db.select().from(networks);
  const other = others.find((network) => network.id !== except && overlaps(network.cidr, cidr));
  if (other) throw refused("cidr", `${cidr} overlaps the network ${other.name} (${other.cidr}). Choose another range.`);
}

/** A range that the host has another way to would no longer be reached that way. @throws `conflict` */
export function refuseOccupied({ occupiedCidrs }: Pick<NetworkStatus, "occupiedCidrs">, cidr: string): void {
  const other = occupiedCidrs.find((one) => overlaps(one, cidr));
  if (other) throw refused("cidr", `${cidr} overlaps ${other}, to which the host has a route. Choose another range.`);
}

/** A refusal by what there is otherwise, at its field. */
export function refused(field: string, message: string): CumulusError {
  return new CumulusError("conflict", message, { fields: { [field]: message } });
}

/** A refusal of what can't be at all, at its field. */
export function wrong(field: string, message: string): CumulusError {
  return new CumulusError("bad_request", message, { fields: { [field]: message } });
}
