import { and, eq, isNull } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import type { Queryable } from "../../db/client";
import { snapshots, vms } from "../../db/schema/vms";
import type { Vm } from "../../domain/vm";
import { announce } from "../changes";
import { isShown } from "../snapshots/find";

type MadeFrom = NonNullable<Vm["madeFrom"]>;

const sources = alias(vms, "sources");

/** What live VMs were made from, by their ids, in one query; those made from an image are not in it. @param vmId of this one alone */
export async function readMadeFrom(db: Queryable, vmId?: number): Promise<Map<number, MadeFrom>> {
  const rows = await db
    .select({
      vmId: vms.id,
      snapshot: { id: snapshots.id, name: snapshots.name, origin: snapshots.origin, deletedAt: snapshots.deletedAt },
      source: { id: sources.id, name: sources.name, deletedAt: sources.deletedAt },
    })
    .from(vms)
    .innerJoin(snapshots, eq(snapshots.id, vms.fromSnapshotId))
    .innerJoin(sources, eq(sources.id, snapshots.vmId))
    .where(and(isNull(vms.deletedAt), vmId === undefined ? undefined : eq(vms.id, vmId)));
  return new Map(
    rows.map(({ vmId: id, snapshot, source }) => {
      const shown = { id: snapshot.id, name: snapshot.name, deleted: snapshot.deletedAt !== null };
      const vm = { id: source.id, name: source.name, deleted: source.deletedAt !== null };
      // The snapshot between a VM and its clone is nobody's to see.
      return [id, { snapshot: snapshot.origin === "clone" ? null : shown, vm }];
    }),
  );
}

/** Announces the snapshot that a VM was made from, which names the VMs that were. @param snapshotId null: it was made from an image */
export async function announceSource(tx: Queryable, snapshotId: number | null): Promise<void> {
  if (snapshotId === null) return;
  const [snapshot] = await tx
    .select({ vmId: snapshots.vmId })
    .from(snapshots)
    .where(and(eq(snapshots.id, snapshotId), isShown));
  if (snapshot) await announce(tx, { kind: "snapshot", id: snapshotId, vmId: snapshot.vmId });
}

/** Announces the live VMs that were made from a snapshot, or from any of a VM's, whose name or end they show. */
export async function announceHeirs(tx: Queryable, of: { snapshotId: number } | { vmId: number }): Promise<void> {
  const isOf = "vmId" in of ? eq(snapshots.vmId, of.vmId) : eq(snapshots.id, of.snapshotId);
  const heirs = await tx
    .select({ id: vms.id })
    .from(vms)
    .innerJoin(snapshots, eq(snapshots.id, vms.fromSnapshotId))
    .where(and(isNull(vms.deletedAt), isOf));
  for (const { id } of heirs) await announce(tx, { kind: "vm", id });
}
