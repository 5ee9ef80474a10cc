import { eq, isNull } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { addresses, vmInterfaces } from "../../db/schema/vmNetworking";
import { vms } from "../../db/schema/vms";
import type { AddressFact, InterfaceFact } from "../snapshot";

/** The interfaces of VMs that aren't deleted, and the addresses that are not free. */
export async function gatherAddresses(
  tx: Queryable,
): Promise<{ interfaces: InterfaceFact[]; addresses: AddressFact[] }> {
  const isLive = isNull(vms.deletedAt);
  const firsts = await tx
    .select({ vmId: vms.id, networkId: vms.networkId, ipv4: vms.ipv4, mac: vms.mac })
    .from(vms)
    .where(isLive);
  const { vmId, interfaceId, networkId, ipv4, mac } = vmInterfaces;
  const further = await tx
    .select({ vmId, interfaceId, networkId, ipv4, mac })
    .from(vmInterfaces)
    .innerJoin(vms, eq(vms.id, vmId))
    .where(isLive);
  const rows = await tx.select().from(addresses);
  return {
    interfaces: [...firsts.map((one) => ({ ...one, interfaceId: "net0" })), ...further],
    addresses: rows.map((row) => ({
      networkId: row.networkId,
      ipv4: row.ipv4,
      vmId: row.vmId,
      hasReservedMac: row.reservedMac !== null,
      isReleased: row.releasedAt !== null,
    })),
  };
}
