import { eq, type SQL, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { images } from "../../db/schema/images";
import type { ImageRow } from "./view";

/**
 * Of each row of `images` that a recipe made: the `base` that it was made from, which may be removed, and the `newest` image of its name, which may be a
 * successor. Null when there is none, as where only older ones are left, and for other images.
 * What the recipe has made itself is no newer base, though it may have the base's name.
 */
const ofBase = (what: SQL) => sql<number | null>`(
  select ${what} from images newest, lateral (
    select base.* from images base
    where images.source ->> 'type' = 'recipe' and base.sha256 = images.source ->> 'baseSha256'
    order by base.name = images.source ->> 'baseName' desc nulls last, base.id limit 1
  ) base
  where newest.name = base.name and newest.arch = base.arch and newest.deleted_at is null and (
    newest.id = base.id or newest.created_at >= base.created_at
    and not newest.source @> jsonb_build_object('type', 'recipe', 'recipe', images.source ->> 'recipe')
  )
  order by newest.created_at desc, newest.id desc limit 1
)`;

/** Of a row of `images`: the id of a build of what its recipe was run on that is newer than that one. */
export const newerBaseId = ofBase(sql`nullif(newest.id, base.id)`);

/** What an image's recipe is to be run on again; undefined when there is none. */
export async function newestBase(db: Queryable, imageId: number): Promise<ImageRow | undefined> {
  const id = sql`(select ${ofBase(sql`newest.id`)} from images where images.id = ${imageId})`;
  const [newest] = await db.select().from(images).where(eq(images.id, id));
  return newest;
}
