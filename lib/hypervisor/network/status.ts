import type { InterfaceStatus, NetworkState } from "../../domain/hostNetwork";
import { readTextIfThere } from "../../system/files";
import { type NeighbourFact, readLinks, readNeighbours } from "./linkFacts";
import { type NetworkNames, tapName } from "./names";

/** What is seen of all interfaces now. */
export async function readInterfaces(
  names: NetworkNames,
  { networks }: NetworkState,
  leaseFile: (networkId: number) => string,
): Promise<InterfaceStatus[]> {
  const [links, neighbours] = await Promise.all([
    readLinks(names.namespacePath),
    readNeighbours(names.namespacePath, 4),
  ]);
  const byAddress = new Map(neighbours.map((neighbour) => [neighbour.address, neighbour]));
  const found = await Promise.all(
    networks.map(async ({ id, hosts }) => {
      const leases = parseLeases((await readTextIfThere(leaseFile(id))) ?? "");
      return hosts.map(({ vmId, interfaceId, mac, ipv4 }) => {
        const link = links.get(tapName({ vmId, interfaceId }));
        return {
          vmId,
          interfaceId,
          networkId: id,
          isUp: link?.hasCarrier ?? false,
          // What the tap takes in is what the VM sends.
          receivedBytes: link?.sent.bytes ?? 0,
          receivedPackets: link?.sent.packets ?? 0,
          sentBytes: link?.received.bytes ?? 0,
          sentPackets: link?.received.packets ?? 0,
          leaseEndsAt: leases.get(`${mac} ${ipv4}`) ?? null,
          isAddressSeen: isSeen(byAddress.get(ipv4), mac),
        };
      });
    }),
  );
  return found.flat();
}

/** Whether a VM answers for its address, as the neighbour table has it (ip-neighbour(8)). */
export function isSeen(neighbour: NeighbourFact | undefined, mac: string): boolean | null {
  if (neighbour === undefined || neighbour.state === "INCOMPLETE") return null;
  return neighbour.mac === mac && neighbour.state !== "FAILED";
}

/** Ends of leases by `MAC address`, from dnsmasq's lease file: `END MAC ADDRESS NAME CLIENT-ID` a line, IPv6 ones after a line with `duid`. */
export function parseLeases(text: string): Map<string, string> {
  const leases = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [end, mac, address] = line.split(" ");
    if (end === "duid") break;
    if (address !== undefined) leases.set(`${mac} ${address}`, new Date(Number(end) * 1000).toISOString());
  }
  return leases;
}
