import { and, eq, gt, isNull, or, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { addresses, vmInterfaces } from "../../db/schema/vmNetworking";
import { vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import { allocateMac } from "../vms/allocate";
import { quarantineMs } from "./addresses";

/**
 * A MAC for an interface that is written in the same transaction: one that is asked for, or any.
 * @throws `conflict` when an interface has it, or had it a moment ago
 */
export async function takeMac(tx: Queryable, wanted?: string): Promise<string> {
  if (wanted === undefined) return allocateMac(tx);
  // Of two that ask for one at once, the second waits here and then finds the first one's.
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${`mac ${wanted}`}))`);
  const holder = await holderInWords(tx, wanted);
  if (holder === null) return wanted;
  const message = `${wanted} is taken: ${holder}.`;
  throw new CumulusError("conflict", message, { fields: { mac: message } });
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
  const [last] = all.toSorted((one, other) => endOf(other) - endOf(one));
  return last
    ? `${last.name} had it, and it is free again at ${new Date(endOf(last) + quarantineMs).toISOString()}`
    : null;
}

function endOf({ endedAt }: { endedAt: Date | null }): number {
  return endedAt?.getTime() ?? 0;
}
