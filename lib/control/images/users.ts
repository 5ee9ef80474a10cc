import { and, asc, eq, inArray, isNull, ne, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { images } from "../../db/schema/images";
import { operations } from "../../db/schema/operations";
import { snapshots, vms } from "../../db/schema/vms";
import type { ImageKind } from "../../domain/image";
import type { ImageDetail } from "../../domain/imageDetail";
import { openStatuses } from "../operations";
import type { ImageRow } from "./view";

/** What holds on to an image, by name. */
export type ImageUsers = Pick<ImageDetail, "vms" | "snapshots">;

/** By what VMs hold on to an image: their disk builds on it, or it lies in their drive. A disk that was installed from an ISO needs it no more. */
const heldBy = (kind: ImageKind) => (kind === "iso" ? vms.cdromImageId : vms.imageId);

export async function usersOfImage(
  db: Queryable,
  { id: imageId, kind }: Pick<ImageRow, "id" | "kind">,
): Promise<ImageUsers> {
  const users = await db
    .select({ id: vms.id, name: vms.name })
    .from(vms)
    .where(and(eq(heldBy(kind), imageId), isNull(vms.deletedAt)))
    .orderBy(asc(vms.name));
  if (kind === "iso") return { vms: users, snapshots: [] };
  // A snapshot outlives its VM, and so do the layers that it stands on.
  const held = await db
    .select({ id: snapshots.id, name: snapshots.name, vmId: vms.id, vmName: vms.name })
    .from(snapshots)
    .innerJoin(vms, eq(vms.id, snapshots.vmId))
    .where(and(eq(vms.imageId, imageId), isNull(snapshots.deletedAt)))
    .orderBy(asc(vms.name), asc(snapshots.id));
  return { vms: users, snapshots: held };
}

/** Images of the same bytes by other names: the file stays for them. */
export async function imagesOfSameFile(
  db: Queryable,
  { id, sha256 }: Pick<ImageRow, "id" | "sha256">,
): Promise<ImageDetail["sameFile"]> {
  return db
    .select({ id: images.id, name: images.name, title: images.title })
    .from(images)
    .where(and(eq(images.sha256, sha256), ne(images.id, id), isNull(images.deletedAt)))
    .orderBy(asc(images.name));
}

/** Open operations that make something from an image. */
export async function operationsOnImage(
  db: Queryable,
  { sha256, name }: Pick<ImageRow, "sha256" | "name">,
): Promise<number[]> {
  const rows = await db
    .select({ id: operations.id })
    .from(operations)
    .where(
      and(
        inArray(operations.status, [...openStatuses]),
        sql`${operations.taskParams} -> 'base' @> ${JSON.stringify({ sha256, name })}::jsonb`,
      ),
    );
  return rows.map(({ id }) => id);
}

const namedAtMost = 5;

/** Why an image can't be removed, as a sentence; undefined when it can. */
export function whyImageIsHeld(kind: ImageKind, { vms, snapshots }: ImageUsers): string | undefined {
  if (kind === "iso" && vms.length > 0) {
    return `This ISO lies in the CD-ROM drive of ${listNames(vms.map(({ name }) => name))}: eject it first.`;
  }
  const parts = [
    ...(vms.length > 0 ? [`the disk of ${listNames(vms.map(({ name }) => name))} is based on it`] : []),
    ...(snapshots.length > 0
      ? [`the snapshots ${listNames(snapshots.map(({ name, vmName }) => `“${name}” of ${vmName}`))} stand on it`]
      : []),
  ];
  if (parts.length === 0) return undefined;
  return `This image is in use: ${parts.join(", and ")}. Destroy or delete these first.`;
}

function listNames(names: string[]): string {
  const rest = names.length - namedAtMost;
  return names.slice(0, namedAtMost).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
