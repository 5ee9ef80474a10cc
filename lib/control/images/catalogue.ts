import { and, desc, isNull, sql } from "drizzle-orm";
import { images } from "../../db/schema/images";
import type { CatalogueEntry } from "../../domain/catalogue";
import type { CatalogueItem } from "../../domain/catalogueItem";
import { CumulusError } from "../../domain/errors";
import type { Context } from "../context";
import { getHost } from "../hosts";

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

/**
 * The entry of an id, or that a name or an alias means ("ubuntu-24.04", "ubuntu_24.04"): of several the one of the host's architecture.
 * @throws `bad_request` under the request's field when there is none
 */
export async function findCatalogueEntry(context: Context, wanted: string): Promise<CatalogueEntry> {
  const { entries } = await context.agent.readCatalogue();
  const entry = entries.find(({ id }) => id === wanted) ?? (await bestOf(context, entriesNamed(entries, wanted)));
  if (entry) return entry;
  const message = `The catalogue has no ${wanted}: GET /api/catalogue lists what it has.`;
  throw new CumulusError("bad_request", message, { fields: { catalogue: message } });
}

/** The same for a hint: undefined when there is none, and when the host doesn't answer. */
export async function hintedCatalogueEntry(context: Context, wanted: string): Promise<CatalogueEntry | undefined> {
  return findCatalogueEntry(context, wanted).catch(() => undefined);
}

function entriesNamed(entries: readonly CatalogueEntry[], name: string): CatalogueEntry[] {
  return entries.filter((entry) => entry.name === name || entry.aliases.includes(name));
}

async function bestOf(context: Context, [first, ...others]: CatalogueEntry[]): Promise<CatalogueEntry | undefined> {
  if (others.length === 0) return first;
  const { report } = await getHost(context);
  return others.find(({ arch }) => arch === report?.arch && first?.arch !== arch) ?? first;
}
