import { inArray, isNull, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { images } from "../../db/schema/images";
import { operations } from "../../db/schema/operations";
import { openStatuses } from "../operations";

const longestName = 63;

/**
 * A name that no image has, nor one that is being made of a backup or an archive: the wanted one, or that with a number. Who names an image goes on getting the same one.
 * @param tx a transaction, until whose end nobody else is given a name: it writes down that the image is being made
 */
export async function freeImageName(tx: Queryable, wanted: string): Promise<string> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext('cumulus image names'))`);
  const present = await tx
    .select({ name: images.name, aliases: images.aliases })
    .from(images)
    .where(isNull(images.deletedAt));
  const coming = await tx
    .select({ name: sql<string | null>`${operations.taskParams} ->> 'imageName'` })
    .from(operations)
    .where(inArray(operations.status, [...openStatuses]));
  const taken = new Set([
    ...present.flatMap(({ name, aliases }) => [name, ...aliases]),
    ...coming.map((row) => row.name),
  ]);
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? "" : `-${number}`;
    const name = `${wanted.slice(0, longestName - suffix.length)}${suffix}`;
    if (!taken.has(name)) return name;
  }
}
