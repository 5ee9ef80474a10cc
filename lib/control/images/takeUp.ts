import { isDeepStrictEqual } from "node:util";
import { eq, getTableColumns, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { images } from "../../db/schema";
import type { ImageManifest } from "../../domain/image";
import { announce } from "../changes";
import type { Context } from "../context";
import { lockImages } from "./lock";

/** Takes up images that the host has and the database doesn't know yet. */
export async function takeUpImages(context: Context): Promise<void> {
  await context.db.transaction(async (tx) => {
    // What was listed must not be removed before it is written down: it would come back as a row without a file.
    await lockImages(tx, "shared");
    for (const manifest of await context.agent.listImages()) await takeUpImage(tx, manifest);
  });
}

/**
 * Writes down an image that lies whole on a host, as its manifest describes it now. One that is being removed stays removed.
 * @returns its id; one that is known already keeps its own
 */
export async function takeUpImage(db: Queryable, manifest: ImageManifest): Promise<number> {
  const { recipeHash: _recipeHash, createdAt, ...described } = manifest;
  const values = { ...described, createdAt: new Date(createdAt) };
  const known = await findKnown(db, manifest.sha256);
  if (known) return isCurrent(known, values) ? known.id : update(db, known.id, values);
  const [row] = await db.insert(images).values(values).onConflictDoNothing().returning({ id: images.id });
  // Another console was quicker.
  if (!row) return (await findKnown(db, manifest.sha256))?.id ?? 0;
  await announce(db, { kind: "image", id: row.id });
  return row.id;
}

type Values = Omit<typeof images.$inferInsert, "id" | "deletedAt" | "recipe">;

async function findKnown(db: Queryable, sha256: string) {
  const isBeingRemoved = sql<boolean>`exists (
    select from operations where dedup_key = ${removalKey(sha256)} and status in ('pending', 'running')
  )`;
  const [row] = await db
    .select({ ...getTableColumns(images), isBeingRemoved })
    .from(images)
    .where(eq(images.sha256, sha256));
  return row;
}

/** Whether there is nothing to write down: this is looked at every few seconds, for every image. */
function isCurrent(known: NonNullable<Awaited<ReturnType<typeof findKnown>>>, values: Values): boolean {
  if (known.isBeingRemoved) return true;
  const asKnown = Object.fromEntries(Object.keys(values).map((key) => [key, known[key as keyof Values]]));
  return known.deletedAt === null && isDeepStrictEqual(asKnown, { ...values });
}

async function update(db: Queryable, id: number, values: Values): Promise<number> {
  await db
    .update(images)
    .set({ ...values, deletedAt: null })
    .where(eq(images.id, id));
  await announce(db, { kind: "image", id });
  return id;
}

/** Marks the operation that removes an image. */
export function removalKey(sha256: string): string {
  return `image-remove ${sha256}`;
}
