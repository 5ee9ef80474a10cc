import type { AddressFact, Disagreement, InterfaceFact, Snapshot } from "../snapshot";
import { nameOfId } from "./words";

const check = "addresses";

/** The database holds each interface's address for its VM, so that no other is given it, and holds none for an interface that is gone. */
export function checkAddresses(snapshot: Snapshot): Disagreement[] {
  const { interfaces, addresses } = snapshot;
  const rowOf = new Map(addresses.map((row) => [keyOf(row), row]));
  const users = new Set(interfaces.map((link) => `${link.vmId} ${keyOf(link)}`));
  const left = addresses.filter(
    ({ isReleased, vmId, ...row }) => !isReleased && vmId !== null && !users.has(`${vmId} ${keyOf(row)}`),
  );
  return [
    ...interfaces.flatMap((link) => unheld(snapshot, link, rowOf.get(keyOf(link)))),
    ...left.map(({ networkId, ipv4, vmId }) => ({
      check,
      subject: `row ${networkId} ${ipv4}`,
      message: `The database holds ${ipv4} of network ${networkId} for ${nameOfId(snapshot, vmId ?? 0)}, which has no interface with that address, so no VM is given it: delete that row of its table addresses.`,
    })),
  ];
}

function unheld(snapshot: Snapshot, link: InterfaceFact, row: AddressFact | undefined): Disagreement[] {
  const { vmId, interfaceId, networkId, ipv4 } = link;
  // Reserved by hand it is given to no other VM either, unless it is with a MAC.
  const isKept = row?.vmId === null && !row.hasReservedMac;
  if (row && !row.isReleased && (row.vmId === vmId || isKept)) return [];
  const what = `The address ${ipv4} of ${interfaceId} of ${nameOfId(snapshot, vmId)}`;
  const message = row
    ? `${what} is held for ${holderOf(snapshot, row)} in the database, so that two VMs may come to have it: ${anew(interfaceId)}`
    : `${what} is free in the database, so that another VM may be given it: reserve it, with POST /api/networks/${networkId}/addresses {"ipv4":"${ipv4}"}.`;
  return [{ check, subject: `interface ${vmId} ${interfaceId}`, message }];
}

function holderOf(snapshot: Snapshot, { vmId, isReleased }: AddressFact): string {
  if (isReleased) return "nobody soon";
  return vmId === null ? "whoever asks for it" : nameOfId(snapshot, vmId);
}

function anew(interfaceId: string): string {
  return interfaceId === "net0"
    ? "clone the VM, whose clone gets another address, and destroy it."
    : "unplug the interface and plug one in again.";
}

function keyOf({ networkId, ipv4 }: { networkId: number; ipv4: string }): string {
  return `${networkId} ${ipv4}`;
}
