import { and, desc, eq, gte, isNull, not, or, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { images } from "../../db/schema/images";
import type { ImageRow } from "./view";

/** What a recipe's image was made from. */
export type RecipeSource = Extract<ImageRow["source"], { type: "recipe" }>;

/**
 * The newest image of the name that a recipe's base has, or had: a removed one may have a successor. Undefined when there is none, as where only older ones
 * are left.
 * What the recipe has made itself is no newer base, though it may have the base's name.
 */
export async function newestBase(db: Queryable, source: RecipeSource): Promise<ImageRow | undefined> {
  const isItsOwn = sql`${images.source} @> ${JSON.stringify({ type: "recipe", recipe: source.recipe })}::jsonb`;
  const isSameName = sql`${images.name} = ${source.baseName}`;
  const [base] = await db
    .select()
    .from(images)
    .where(eq(images.sha256, source.baseSha256))
    .orderBy(sql`${isSameName} desc nulls last`, images.id)
    .limit(1);
  if (!base) return undefined;
  const mayBeBase = or(eq(images.sha256, base.sha256), and(not(isItsOwn), gte(images.createdAt, base.createdAt)));
  const [newest] = await db
    .select()
    .from(images)
    .where(and(eq(images.name, base.name), eq(images.arch, base.arch), isNull(images.deletedAt), mayBeBase))
    .orderBy(desc(images.createdAt), desc(images.id))
    .limit(1);
  return newest;
}
