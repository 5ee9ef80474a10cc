import { and, desc, isNull, sql } from "drizzle-orm";
import { images } from "../../db/schema/images";
import type { CatalogueEntry } from "../../domain/catalogue";
import type { CatalogueItem } from "../../domain/catalogueItem";
import { CumulusError } from "../../domain/errors";
import type { Context } from "../context";

/** What the host can be asked to download, in the catalogue's order, and what is wrong with the administrator's own files of it. */
export async function listCatalogue(context: Context): Promise<{ items: CatalogueItem[]; problems: string[] }> {
  const { entries, problems } = await context.agent.readCatalogue();
  const rows = await context.db
    .select({ id: images.id, entryId: sql<string>`${images.source} ->> 'catalogueId'` })
    .from(images)
    .where(and(isNull(images.deletedAt), sql`${images.source} ->> 'type' = 'catalogue'`))
    .orderBy(desc(images.createdAt), desc(images.id));
  const imageIdOf = (id: string) => rows.find(({ entryId }) => entryId === id)?.id ?? null;
  return { items: entries.map((entry) => ({ ...entry, imageId: imageIdOf(entry.id) })), problems };
}

/** @throws `bad_request` under the request's field when there is none of that id */
export async function findCatalogueEntry(context: Context, id: string): Promise<CatalogueEntry> {
  const entry = (await context.agent.readCatalogue()).entries.find((entry) => entry.id === id);
  if (entry) return entry;
  const message = `The catalogue has no ${id}: GET /api/catalogue lists what it has.`;
  throw new CumulusError("bad_request", message, { fields: { catalogue: message } });
}

/** Entries that a name or an alias means; none when the host doesn't answer. */
export async function catalogueEntriesNamed(context: Context, name: string): Promise<CatalogueEntry[]> {
  const { entries } = await context.agent.readCatalogue().catch(() => ({ entries: [] }));
  return entries.filter((entry) => entry.id === name || entry.name === name || entry.aliases.includes(name));
}
