import { randomBytes } from "node:crypto";
import { and, eq, gt, isNull, or, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { networks } from "../../db/schema/networks";
import { addresses, vmInterfaces } from "../../db/schema/vmNetworking";
import { vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import { quarantineMs } from "./addresses";

/**
 * A MAC for an interface that is written in the same transaction: the one that is reserved with its address, one that is asked for, or any.
 * @param reserved that was taken with the address
 * @throws `conflict` when an interface has it, or had it a moment ago, or it is reserved with another address; when another is reserved with this one
 */
export async function takeMac(tx: Queryable, wanted?: string, reserved: string | null = null): Promise<string> {
  if (reserved === null) return wanted === undefined ? drawMac(tx) : takeFreeMac(tx, wanted);
  if (wanted === undefined || wanted === reserved) return reserved;
  throw refused(
    `The address is reserved with the MAC ${reserved}, not ${wanted}. Ask for that one, or for the address alone.`,
  );
}

/** Reserves a MAC with an address that was reserved in the same transaction. @throws `conflict` as for an interface */
export async function reserveMac(tx: Queryable, networkId: number, ipv4: string, mac: string): Promise<void> {
  await takeFreeMac(tx, mac);
  await tx
    .update(addresses)
    .set({ reservedMac: mac })
    .where(and(eq(addresses.networkId, networkId), eq(addresses.ipv4, ipv4)));
}

/**
 * Any MAC that is had by nobody, and by nobody who is just taking it.
 * @param draw another one each time
 */
export async function drawMac(tx: Queryable, draw: () => string = randomMac): Promise<string> {
  for (;;) {
    const mac = draw();
    const { rows } = await tx.execute<{ isOurs: boolean }>(
      sql`select pg_try_advisory_xact_lock(${lockOf(mac)}) as "isOurs"`,
    );
    if (rows[0]?.isOurs && (await holderInWords(tx, mac)) === null) return mac;
  }
}

/** Of QEMU's prefix. */
function randomMac(): string {
  return ["52", "54", "00", ...[...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}

async function takeFreeMac(tx: Queryable, mac: string): Promise<string> {
  // Of two that ask for one at once, the second waits here and then finds the first one's.
  await tx.execute(sql`select pg_advisory_xact_lock(${lockOf(mac)})`);
  const holder = await holderInWords(tx, mac);
  if (holder !== null) throw refused(`${mac} is taken: ${holder}.`);
  return mac;
}

function lockOf(mac: string) {
  return sql`hashtext(${`mac ${mac}`})`;
}

function refused(message: string): CumulusError {
  return new CumulusError("conflict", message, { fields: { mac: message } });
}

async function holderInWords(db: Queryable, mac: string): Promise<string | null> {
  const since = new Date(Date.now() - quarantineMs);
  const firsts = await db
    .select({ name: vms.name, endedAt: vms.deletedAt })
    .from(vms)
    .where(and(eq(vms.mac, mac), or(isNull(vms.deletedAt), gt(vms.deletedAt, since))));
  const further = await db
    .select({ name: vms.name })
    .from(vmInterfaces)
    .innerJoin(vms, eq(vms.id, vmInterfaces.vmId))
    .where(eq(vmInterfaces.mac, mac));
  const released = await db
    .select({ name: vms.name, endedAt: addresses.releasedAt })
    .from(addresses)
    .innerJoin(vms, eq(vms.id, addresses.vmId))
    .where(and(eq(addresses.mac, mac), gt(addresses.releasedAt, since)));
  const all = [...firsts, ...further.map(({ name }) => ({ name, endedAt: null })), ...released];
  const present = all.find(({ endedAt }) => endedAt === null);
  if (present) return `the VM ${present.name} has it`;
  const [reserved] = await db
    .select({ ipv4: addresses.ipv4, note: addresses.note, network: networks.name })
    .from(addresses)
    .innerJoin(networks, eq(networks.id, addresses.networkId))
    .where(eq(addresses.reservedMac, mac));
  if (reserved) {
    const { ipv4, note, network } = reserved;
    return `it is reserved with ${ipv4} in ${network}${note && ` (${note})`}, and goes to whoever asks for that address`;
  }
  const [last] = all.toSorted((one, other) => endOf(other) - endOf(one));
  return last
    ? `${last.name} had it, and it is free again at ${new Date(endOf(last) + quarantineMs).toISOString()}`
    : null;
}

function endOf({ endedAt }: { endedAt: Date | null }): number {
  return endedAt?.getTime() ?? 0;
}
