import { and, asc, eq, isNotNull, isNull, lt, or, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import type { networks } from "../../db/schema/networks";
import { addresses } from "../../db/schema/vmNetworking";
import { vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import {
  dnsAddressOf,
  type Ipv4Range,
  ipv4ToNumber,
  isForVms,
  nextFreeAddress,
  numberToIpv4,
  rangeOf,
} from "../../domain/ipv4";
import type { NetworkAddress } from "../../domain/network";
import { announce } from "../changes";

export type NetworkRow = typeof networks.$inferSelect;
export type TakenAddress = Omit<NetworkAddress, "ipv6">;

/** How long the address of a VM that is gone is given to nobody: longer than neighbours remember whose it was. */
export const quarantineMs = 10 * 60_000;

/** An address that was taken for an interface. */
interface Taken {
  ipv4: string;
  /** The MAC that the interface is to have, since it was reserved with the address; null: none was. */
  reservedMac: string | null;
}

/**
 * Takes an address for a VM: the lowest free one, or the one that is asked for, which may be reserved with a MAC. The row that it writes is what holds it.
 * @throws `conflict` when the network is full or the address is taken, `bad_request` for one that no VM can have
 */
export async function takeAddress(tx: Queryable, network: NetworkRow, wanted?: string): Promise<Taken> {
  await forgetOldReleases(tx, network.id);
  const ipv4 = wanted ?? (await lowestFree(tx, network));
  if (wanted !== undefined) assertAssignable(network, wanted);
  // Two that ask at once: the second one's row is refused, and it looks again.
  const [row] = await tx
    .insert(addresses)
    .values({ networkId: network.id, ipv4 })
    .onConflictDoNothing()
    .returning({ ipv4: addresses.ipv4 });
  if (row) return { ipv4, reservedMac: null };
  if (wanted === undefined) return takeAddress(tx, network);
  const reservedMac = await takeReserved(tx, network.id, ipv4);
  if (reservedMac !== null) return { ipv4, reservedMac };
  throw await addressTaken(tx, network, ipv4);
}

/**
 * Takes an address that is reserved with a MAC. Its last VM may just have gone: what still talks to that one is to reach the next one, by the same MAC.
 * @returns null when it isn't, or a VM has it
 */
async function takeReserved(tx: Queryable, networkId: number, ipv4: string): Promise<string | null> {
  const isReserved = and(
    eq(addresses.networkId, networkId),
    eq(addresses.ipv4, ipv4),
    isNotNull(addresses.reservedMac),
  );
  // Of two that ask at once, the second waits here for the first, and then finds its VM.
  const [row] = await tx
    .update(addresses)
    .set({ vmId: null, releasedAt: null, mac: null })
    .where(and(isReserved, or(isNull(addresses.vmId), isNotNull(addresses.releasedAt))))
    .returning({ mac: addresses.reservedMac });
  return row?.mac ?? null;
}

/**
 * Takes an address again that a VM had itself and that is in quarantine since.
 * @returns null when there is none; else the MAC that it had with it, which is to come back too: what knows the address knows it by that
 */
export async function takeOwnAddressAgain(
  tx: Queryable,
  networkId: number,
  ipv4: string,
  vmId: number,
): Promise<{ ipv4: string; mac: string | null } | null> {
  await forgetOldReleases(tx, networkId);
  const isOwn = and(eq(addresses.networkId, networkId), eq(addresses.ipv4, ipv4), eq(addresses.vmId, vmId));
  const [row] = await tx
    .update(addresses)
    .set({ releasedAt: null })
    // One that is reserved with a MAC is anybody's who asks for it, and is taken as that.
    .where(and(isOwn, isNotNull(addresses.releasedAt), isNull(addresses.reservedMac)))
    .returning({ ipv4: addresses.ipv4, mac: addresses.mac });
  return row ?? null;
}

/** Says whose an address is that was taken in the same transaction. */
export async function bindAddress(tx: Queryable, networkId: number, ipv4: string, vmId: number): Promise<void> {
  await tx
    .update(addresses)
    .set({ vmId })
    .where(and(eq(addresses.networkId, networkId), eq(addresses.ipv4, ipv4)));
  await announce(tx, { kind: "network", id: networkId });
}

/** Begins the quarantine of addresses of a VM. @param only that of an interface; all of them when not given */
export async function releaseAddresses(
  tx: Queryable,
  vmId: number,
  only?: { networkId: number; ipv4: string; mac: string },
): Promise<void> {
  const which = only && and(eq(addresses.networkId, only.networkId), eq(addresses.ipv4, only.ipv4));
  const rows = await tx
    .update(addresses)
    .set({ releasedAt: sql`now()`, mac: only?.mac ?? null })
    .where(and(eq(addresses.vmId, vmId), isNull(addresses.releasedAt), which))
    .returning();
  for (const { networkId } of rows) await announce(tx, { kind: "network", id: networkId });
}

/** Keeps an address from VMs. @throws `conflict` when it is taken, `bad_request` when it isn't one of the network's */
export async function reserveAddress(db: Queryable, network: NetworkRow, ipv4: string, note: string): Promise<void> {
  assertAssignable(network, ipv4);
  await forgetOldReleases(db, network.id);
  const [row] = await db
    .insert(addresses)
    .values({ networkId: network.id, ipv4, note })
    .onConflictDoNothing()
    .returning({ ipv4: addresses.ipv4 });
  if (!row) throw await addressTaken(db, network, ipv4);
}

/** Ends a reservation. A VM that has the address by it keeps it; of one that just had it, it is in quarantine. @throws `not_found` unless it is reserved by hand */
export async function freeReservedAddress(db: Queryable, network: NetworkRow, ipv4: string): Promise<void> {
  const isIt = and(eq(addresses.networkId, network.id), eq(addresses.ipv4, ipv4));
  // First this, which waits for a VM that is just being given it.
  const freed = await db
    .delete(addresses)
    .where(and(isIt, isNull(addresses.vmId)))
    .returning();
  const left = await db
    .update(addresses)
    .set({ reservedMac: null, note: "" })
    .where(and(isIt, isNotNull(addresses.reservedMac)))
    .returning();
  if (freed.length + left.length === 0) {
    throw new CumulusError("not_found", `${ipv4} is not reserved in ${network.name}.`);
  }
}

/** All addresses of a network that are not free, by number. */
export async function listAddresses(db: Queryable, network: NetworkRow): Promise<TakenAddress[]> {
  const rows = await db
    .select({ address: addresses, vmName: vms.name })
    .from(addresses)
    .leftJoin(vms, eq(vms.id, addresses.vmId))
    .where(eq(addresses.networkId, network.id))
    .orderBy(asc(sql`${addresses.ipv4}::inet`));
  const now = Date.now();
  const taken = rows.flatMap(
    ({ address: { ipv4, vmId, note, releasedAt, reservedMac: mac }, vmName }): TakenAddress[] => {
      if (mac !== null && releasedAt !== null) return [{ ipv4, kind: "reserved", vm: null, note, mac, freeAt: null }];
      const freeAtMs = releasedAt && releasedAt.getTime() + quarantineMs;
      if (freeAtMs !== null && freeAtMs <= now) return [];
      const vm = vmId !== null && vmName !== null ? { id: vmId, name: vmName } : null;
      const kind = freeAtMs !== null ? "quarantined" : vm ? "vm" : "reserved";
      return [{ ipv4, kind, vm, note, mac, freeAt: freeAtMs === null ? null : new Date(freeAtMs).toISOString() }];
    },
  );
  return [{ ipv4: network.gateway, kind: "gateway", vm: null, note: "", mac: null, freeAt: null }, ...taken];
}

/** How many addresses VMs can still be given by themselves. */
export async function countFree(db: Queryable, network: NetworkRow): Promise<number> {
  const range = assignableRange(network);
  const taken = new Set([dnsAddressOf(network), ...(await listAddresses(db, network)).map(({ ipv4 }) => ipv4)]);
  return range.last - range.first + 1 - [...taken].filter((ipv4) => isIn(range, ipv4)).length;
}

/** VMs with an address that they could have been given by themselves before a change of the range, and couldn't after it. */
export async function vmsLeftOutside(
  db: Queryable,
  network: NetworkRow,
  range: Pick<NetworkRow, "rangeFirst" | "rangeLast">,
): Promise<TakenAddress[]> {
  const [before, after] = [assignableRange(network), assignableRange({ ...network, ...range })];
  return (await listAddresses(db, network)).filter(
    ({ kind, ipv4 }) => kind === "vm" && isIn(before, ipv4) && !isIn(after, ipv4),
  );
}

async function lowestFree(db: Queryable, network: NetworkRow): Promise<string> {
  const rows = await listAddresses(db, network);
  const taken = new Set([dnsAddressOf(network), ...rows.map(({ ipv4 }) => ipv4)]);
  const range = assignableRange(network);
  const free = nextFreeAddress(range, taken);
  if (free !== undefined) return free;
  const full = `The network ${network.name} (${network.cidr}) has no free address.`;
  const freeAt = rows
    .filter(({ ipv4 }) => isIn(range, ipv4))
    .flatMap((row) => row.freeAt ?? [])
    .sort();
  const advice =
    freeAt.length > 0
      ? `${freeAt.length === 1 ? "One is in quarantine" : `${freeAt.length} are in quarantine, the first`} until ${freeAt[0]}.`
      : "Destroy a VM, or free a reserved address.";
  throw new CumulusError("conflict", `${full} ${advice}`);
}

function isIn({ first, last }: Ipv4Range, ipv4: string): boolean {
  const value = ipv4ToNumber(ipv4);
  return value >= first && value <= last;
}

/** What the network says, or all; those among it that no VM can have are passed over. */
function assignableRange({ cidr, rangeFirst, rangeLast }: Pick<NetworkRow, "cidr" | "rangeFirst" | "rangeLast">) {
  const { first, last } = rangeOf(cidr);
  return {
    first: rangeFirst === null ? first + 1 : ipv4ToNumber(rangeFirst),
    last: rangeLast === null ? last - 1 : ipv4ToNumber(rangeLast),
  };
}

function assertAssignable(network: NetworkRow, ipv4: string): void {
  if (isForVms(network, ipv4) && ipv4 === numberToIpv4(ipv4ToNumber(ipv4))) return;
  const message = `${ipv4} is not an address that a VM of ${network.name} (${network.cidr}) can have.`;
  throw new CumulusError("bad_request", message, { fields: { ipv4: message } });
}

async function addressTaken(db: Queryable, network: NetworkRow, ipv4: string): Promise<CumulusError> {
  const holder = (await listAddresses(db, network)).find((one) => one.ipv4 === ipv4);
  const message = `${ipv4} is taken in ${network.name}${holder ? `: ${holderInWords(holder)}` : ""}.`;
  return new CumulusError("conflict", message, { fields: { ipv4: message } });
}

function holderInWords({ kind, vm, note, freeAt }: TakenAddress): string {
  switch (kind) {
    case "gateway":
      return "it is the gateway";
    case "vm":
      return `the VM ${vm?.name} has it`;
    case "reserved":
      return `it is reserved${note && ` (${note})`}`;
    case "quarantined":
      return `${vm?.name} had it, and it is free again at ${freeAt}`;
  }
}

async function forgetOldReleases(db: Queryable, networkId: number): Promise<void> {
  const before = new Date(Date.now() - quarantineMs);
  const isOld = and(isNotNull(addresses.releasedAt), lt(addresses.releasedAt, before));
  await db.delete(addresses).where(and(eq(addresses.networkId, networkId), isOld, isNull(addresses.reservedMac)));
}
