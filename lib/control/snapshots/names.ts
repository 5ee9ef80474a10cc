import { and, eq, isNull } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { snapshots } from "../../db/schema/vms";

/** A name that none of a VM's snapshots has: the wanted one, or that with a number. The VM's row is held by the transaction, so that it stays free. */
export async function freeSnapshotName(tx: Queryable, vmId: number, wanted: string): Promise<string> {
  const rows = await tx
    .select({ name: snapshots.name })
    .from(snapshots)
    .where(and(eq(snapshots.vmId, vmId), isNull(snapshots.deletedAt)));
  const taken = new Set(rows.map(({ name }) => name));
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted} (${number})`;
    if (!taken.has(name)) return name;
  }
}
