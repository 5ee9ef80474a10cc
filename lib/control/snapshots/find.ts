import { and, eq, isNull, ne } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { images } from "../../db/schema/images";
import { snapshots, vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import type { SnapshotManifest } from "../../domain/snapshot";

export type SnapshotRow = typeof snapshots.$inferSelect;

/** Snapshots that people see: not those that are gone, and not the one that stands for a moment between a VM and its clone. */
export const isShown = and(isNull(snapshots.deletedAt), ne(snapshots.origin, "clone"));

/** A snapshot's row, held until the transaction ends. @throws `not_found` */
export async function lockSnapshot(tx: Queryable, id: number): Promise<SnapshotRow> {
  const [row] = await tx
    .select()
    .from(snapshots)
    .where(and(eq(snapshots.id, id), isShown))
    .for("update");
  if (!row) throw snapshotNotFound(id);
  return row;
}

export function snapshotNotFound(id: number): CumulusError {
  return new CumulusError("not_found", `There is no snapshot ${id}.`);
}

/** @throws `wrong_state` while it is being taken or deleted */
export function wholeManifestOf(snapshot: SnapshotRow): SnapshotManifest {
  const { name, manifest, desired } = snapshot;
  if (manifest && desired === "present") return manifest;
  const state = manifest ? "deleted" : "taken";
  throw new CumulusError("wrong_state", `The snapshot ${name} is being ${state}: it must be available.`, {
    allowed: ["available"],
  });
}

/**
 * The snapshot that a new VM starts from, with the image that its VM was made from.
 * @throws `bad_request` when there is none, `wrong_state` while it is being taken or deleted
 */
export async function findWholeSnapshot(tx: Queryable, id: number) {
  const [found] = await tx
    .select({ snapshot: snapshots, image: images })
    .from(snapshots)
    .innerJoin(vms, eq(vms.id, snapshots.vmId))
    .innerJoin(images, eq(images.id, vms.imageId))
    .where(and(eq(snapshots.id, id), isShown))
    .for("share", { of: snapshots });
  if (!found) {
    const message = `There is no snapshot ${id}.`;
    throw new CumulusError("bad_request", message, { fields: { snapshot: message } });
  }
  return { ...found, manifest: wholeManifestOf(found.snapshot) };
}
