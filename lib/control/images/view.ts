import { and, asc, desc, eq, isNull, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { images } from "../../db/schema/images";
import { CumulusError } from "../../domain/errors";
import { type Image, isBuiltLongAgo } from "../../domain/image";
import type { ImageDetail } from "../../domain/imageDetail";
import type { Context } from "../context";
import { newerBaseId } from "./newestBase";
import { imagesOfSameFile, usersOfImage } from "./users";

export type ImageRow = typeof images.$inferSelect;

// Written out: in a select of one table, drizzle leaves the tables' names away, and a subquery would take its own columns for the image's.
const vmCount = sql<number>`(
  select count(*)::int from vms
  where case images.kind when 'iso' then vms.cdrom_image_id else vms.image_id end = images.id and vms.deleted_at is null
)`;
const snapshotCount = sql<number>`(
  select count(*)::int from snapshots join vms on vms.id = snapshots.vm_id
  where vms.image_id = images.id and images.kind = 'disk' and snapshots.deleted_at is null
)`;
const newerId = sql<number | null>`(
  select newer.id from images newer
  where newer.name = images.name and newer.arch = images.arch and newer.kind = images.kind
    and newer.deleted_at is null and (newer.created_at, newer.id) > (images.created_at, images.id)
  order by newer.created_at desc, newer.id desc limit 1
)`;

/** Images by name, of each name the newest first. */
export async function listImages({ db }: Context): Promise<Image[]> {
  const rows = await db
    .select({ image: images, vmCount, snapshotCount, newerId, newerBaseId })
    .from(images)
    .where(isNull(images.deletedAt))
    .orderBy(asc(images.name), desc(images.createdAt), desc(images.id));
  return rows.map(toImage);
}

/** @throws `not_found` also for an image that was removed */
export async function getImage({ db }: Context, id: number): Promise<ImageDetail> {
  const [row] = await db
    .select({ image: images, vmCount, snapshotCount, newerId, newerBaseId })
    .from(images)
    .where(and(eq(images.id, id), isNull(images.deletedAt)));
  if (!row) throw imageNotFound(id);
  const users = await usersOfImage(db, row.image);
  return {
    ...toImage(row),
    ...users,
    sameFile: await imagesOfSameFile(db, row.image),
    newerBase: await newerBaseOf(db, row),
    published: row.image.published,
    recipe: row.image.recipe,
  };
}

async function newerBaseOf(db: Queryable, { newerBaseId: id }: Selected): Promise<ImageDetail["newerBase"]> {
  if (id === null) return null;
  const { name, title } = images;
  const [base] = await db.select({ id: images.id, name, title }).from(images).where(eq(images.id, id));
  return base ?? null;
}

export async function getImageRow(db: Queryable, id: number): Promise<ImageRow> {
  const [row] = await db
    .select()
    .from(images)
    .where(and(eq(images.id, id), isNull(images.deletedAt)));
  if (!row) throw imageNotFound(id);
  return row;
}

export function imageNotFound(id: number): CumulusError {
  return new CumulusError("not_found", `There is no image ${id}.`);
}

interface Selected {
  image: ImageRow;
  vmCount: number;
  snapshotCount: number;
  newerId: number | null;
  newerBaseId: number | null;
}

function toImage({ image, ...counts }: Selected): Image {
  const {
    deletedAt: _deletedAt,
    recipe: _recipe,
    isRecipeChanged: _isChanged,
    published: _published,
    ...shown
  } = image;
  const { createdAt, firmwares, ...rest } = shown;
  return {
    ...rest,
    newerBuild: newerBuildOf(image),
    firmwares: firmwares.length > 0 ? firmwares : [image.firmware],
    createdAt: createdAt.toISOString(),
    ...counts,
  };
}

/** Judged anew at each look: what was told stays true when the image has become what its maker publishes. */
function newerBuildOf({ source, isRecipeChanged, published, createdAt }: ImageRow): Image["newerBuild"] {
  if (isRecipeChanged) return "recipe";
  if (source.type === "built") {
    return isBuiltLongAgo({ createdAtMs: createdAt.getTime(), nowMs: Date.now() }) ? "age" : null;
  }
  if (source.type !== "catalogue" || published?.checksum == null) return null;
  return published.checksum === source.checksum ? null : "published";
}
