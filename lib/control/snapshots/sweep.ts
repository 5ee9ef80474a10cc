import { and, eq, isNotNull, isNull, not, notExists } from "drizzle-orm";
import { snapshots, vms } from "../../db/schema/vms";
import type { SnapshotManifest } from "../../domain/snapshot";
import { announce } from "../changes";
import { type Context, systemActor } from "../context";
import { couldNotBeRemoved, isYetToStartFrom, requestSnapshotRemoval } from "./remove";

/** Brings snapshots to where they should be, whatever was cut off. */
export async function sweepSnapshots(context: Context): Promise<void> {
  await removeServedClones(context);
  await refreshManifests(context);
}

/** The snapshot between a VM and its clone goes when the clone has its disk. One that can't be removed is tried again after ten minutes. */
async function removeServedClones(context: Context): Promise<void> {
  await context.db.transaction(async (tx) => {
    const rows = await tx
      .select()
      .from(snapshots)
      .where(
        and(
          eq(snapshots.origin, "clone"),
          eq(snapshots.desired, "present"),
          isNotNull(snapshots.manifest),
          notExists(tx.select({ id: vms.id }).from(vms).where(isYetToStartFrom(snapshots.id))),
          not(couldNotBeRemoved(snapshots.id)),
        ),
      )
      .for("update", { skipLocked: true });
    for (const row of rows) await requestSnapshotRemoval(tx, systemActor, row);
  });
}

/**
 * What a snapshot takes changes when layers below are merged or folded into its own. Of one that an older Cumulus wrote down, the host also knows whether its
 * guest had an agent.
 */
async function refreshManifests(context: Context): Promise<void> {
  const rows = await context.db
    .select()
    .from(snapshots)
    .where(and(isNull(snapshots.deletedAt), isNotNull(snapshots.manifest)));
  if (rows.length === 0) return;
  const present = new Map((await context.agent.listSnapshots()).map((manifest) => [manifest.id, manifest]));
  for (const { id, vmId, manifest: known } of rows) {
    const manifest = present.get(id);
    if (!manifest || (known && isAsKnown(manifest, known))) continue;
    await context.db.transaction(async (tx) => {
      await tx.update(snapshots).set({ manifest }).where(eq(snapshots.id, id));
      await announce(tx, { kind: "snapshot", id, vmId });
    });
  }
}

function isAsKnown(now: SnapshotManifest, known: SnapshotManifest): boolean {
  const { diskBytes, foldedBytes, hasGuestAgent = null } = known;
  return now.diskBytes === diskBytes && now.foldedBytes === foldedBytes && now.hasGuestAgent === hasGuestAgent;
}
