import { eq } from "drizzle-orm";
import { interfaceLimits, portForwards, vmFirewalls } from "../../db/schema/vmNetworking";
import { CumulusError } from "../../domain/errors";
import type { InterfaceStatus } from "../../domain/hostNetwork";
import { ipv6Of } from "../../domain/ipv6";
import type { NetworkDriver } from "../../domain/machine";
import type { VmInterface, VmNetworking } from "../../domain/vmNetworking";
import type { Context } from "../context";
import { driversOf, getVmRecord, type VmRecord } from "../vms/view";
import { whyNotEnforceable } from "./driver";
import { networksPending } from "./pending";

/** A VM's interfaces with what its host sees of them now, its forwards and firewalls. @throws `not_found` */
export async function getVmNetworking(context: Context, vmId: number): Promise<VmNetworking> {
  const { db } = context;
  const record = await getVmRecord(db, vmId);
  const network = record.host.report?.network ?? null;
  const { driver } = driversOf(record.vm, record.host);
  const isSeen = driver === "bridge" && network?.driver === "bridge";
  const seen = isSeen ? await interfacesSeen(context, vmId) : null;
  const limits = await db.select().from(interfaceLimits).where(eq(interfaceLimits.vmId, vmId));
  const forwards = await db.select().from(portForwards).where(eq(portForwards.vmId, vmId)).orderBy(portForwards.id);
  const firewalls = await db.select().from(vmFirewalls).where(eq(vmFirewalls.vmId, vmId));
  return {
    driver,
    whyNot: whyNotEnforceable(network, record.vm),
    pending: await networksPending(context),
    seenAt: seen && new Date().toISOString(),
    interfaces: linksOf(record, driver).map((link) => {
      const limit = limits.find(({ interfaceId }) => interfaceId === link.id);
      const { ingressBytesPerSecond = null, egressBytesPerSecond = null } = limit ?? {};
      const status = seen?.find(({ interfaceId }) => interfaceId === link.id);
      return { ...link, limit: { ingressBytesPerSecond, egressBytesPerSecond }, status: status ? shown(status) : null };
    }),
    forwards,
    firewalls: firewalls.map(({ firewallId }) => firewallId),
  };
}

function linksOf(
  { vm, network, furtherLinks }: VmRecord,
  driver: NetworkDriver,
): Omit<VmInterface, "limit" | "status">[] {
  const links = [
    { id: "net0", network, mac: vm.mac, ipv4: vm.ipv4, isLeaving: false },
    ...furtherLinks.map(({ link, network }) => ({ ...link, id: link.interfaceId, network })),
  ];
  return links.map(({ id, network: { id: networkId, name, cidr, domain, ipv6Cidr }, mac, ipv4, isLeaving }) => ({
    id,
    network: { id: networkId, name, cidr },
    mac,
    ipv4,
    ipv6: driver === "bridge" ? ipv6Of(ipv6Cidr, ipv4) : null,
    isLeaving,
    dnsName: `${vm.name}.${domain}`,
  }));
}

/** What can't be asked for now is not shown, rather than nothing at all. */
async function interfacesSeen({ agent }: Context, vmId: number): Promise<InterfaceStatus[] | null> {
  try {
    return (await agent.networkStatus()).interfaces.filter((one) => one.vmId === vmId);
  } catch (error) {
    if (error instanceof CumulusError && error.code === "unavailable") return null;
    throw error;
  }
}

function shown({ vmId, interfaceId, networkId, ...status }: InterfaceStatus): VmInterface["status"] {
  return status;
}
