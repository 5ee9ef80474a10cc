import { and, desc, eq, isNull, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { images } from "../../db/schema/images";
import type { ImageRow } from "./view";

/** What a recipe's image was made from. */
export type RecipeSource = Extract<ImageRow["source"], { type: "recipe" }>;

/** The newest image of the name that a recipe's base has, or had: a removed one may have a successor. Undefined when there is none. */
export async function newestBase(db: Queryable, source: RecipeSource): Promise<ImageRow | undefined> {
  const isSameName = sql`${images.name} = ${source.baseName}`;
  const [base] = await db
    .select()
    .from(images)
    .where(eq(images.sha256, source.baseSha256))
    .orderBy(sql`${isSameName} desc nulls last`, images.id)
    .limit(1);
  if (!base) return undefined;
  const [newest] = await db
    .select()
    .from(images)
    .where(and(eq(images.name, base.name), eq(images.arch, base.arch), isNull(images.deletedAt)))
    .orderBy(desc(images.createdAt), desc(images.id))
    .limit(1);
  return newest;
}
