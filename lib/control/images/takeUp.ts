import { isDeepStrictEqual } from "node:util";
import { and, eq, getTableColumns, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { images } from "../../db/schema/images";
import { type ImageIdentity, type ImageManifest, isRecipeChanged } from "../../domain/image";
import { aliasesOf } from "../../domain/imageRequest";
import type { Context } from "../context";
import { announceImage } from "./announce";
import { lockImages } from "./lock";

/** Takes up images that the host has and the database doesn't know yet. */
export async function takeUpImages(context: Context): Promise<void> {
  await context.db.transaction(async (tx) => {
    // What was listed must not be removed before it is written down: it would come back as a row without a file.
    await lockImages(tx, "shared");
    const present = await context.agent.listPresentRecipes();
    for (const manifest of await context.agent.listImages()) {
      await takeUpImage(tx, manifest, isRecipeChanged(manifest, present));
    }
  });
}

/**
 * Writes down an image that lies whole on a host, as its manifest describes it now: a name for a file, beside which the same file may have others. One
 * that is being removed stays removed.
 * @param isRecipeOld whether it would be built otherwise now: not so of one that was just made
 * @returns its id; one that is known already keeps its own
 */
export async function takeUpImage(db: Queryable, manifest: ImageManifest, isRecipeOld = false): Promise<number> {
  const { recipeHash: _recipeHash, createdAt, ...described } = manifest;
  const aliases = aliasesOf(manifest);
  const values = { ...described, aliases, isRecipeChanged: isRecipeOld, createdAt: new Date(createdAt) };
  const known = await findKnown(db, manifest);
  if (known) return isCurrent(known, values) ? known.id : update(db, known.id, values);
  const [row] = await db.insert(images).values(values).onConflictDoNothing().returning({ id: images.id });
  // Another console was quicker.
  if (!row) return (await findKnown(db, manifest))?.id ?? 0;
  await announceImage(db, { id: row.id, sha256: manifest.sha256 });
  return row.id;
}

type Values = Omit<typeof images.$inferInsert, "id" | "deletedAt" | "recipe" | "published">;

async function findKnown(db: Queryable, image: ImageIdentity) {
  const isBeingRemoved = sql<boolean>`exists (
    select from operations where dedup_key = ${removalKey(image)} and status in ('pending', 'running')
  )`;
  const [row] = await db
    .select({ ...getTableColumns(images), isBeingRemoved })
    .from(images)
    .where(and(eq(images.sha256, image.sha256), eq(images.name, image.name)));
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
  await announceImage(db, { id, sha256: values.sha256 });
  return id;
}

/** Marks the operation that removes an image. */
export function removalKey({ sha256, name }: ImageIdentity): string {
  return `image-remove ${sha256} ${name}`;
}
