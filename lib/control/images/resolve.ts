import { and, desc, eq, isNull, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { hosts } from "../../db/schema/hosts";
import { images } from "../../db/schema/images";
import { CumulusError } from "../../domain/errors";
import type { ImageKind } from "../../domain/image";
import type { Context } from "../context";
import { hintedCatalogueEntry } from "./catalogue";
import type { ImageRow } from "./view";

/**
 * The image that a request means: by id, or the newest that has the name, else the newest that has it as an alias; of several architectures the host's
 * own. An alias of both means the maker's own image before the one that was built here, so that building this again doesn't change what it means. It stays there until the transaction's end.
 * @param field of the request, to be named when there is none
 * @throws `bad_request`
 */
export async function resolveImage(
  tx: Queryable,
  wanted: string | number,
  { kind = "disk", field = "image" }: { kind?: ImageKind | "any"; field?: string } = {},
): Promise<ImageRow> {
  const isMeant =
    typeof wanted === "number"
      ? eq(images.id, wanted)
      : sql`(${images.name} = ${wanted} or ${images.aliases} @> ${JSON.stringify([wanted])}::jsonb)`;
  const isOffered = and(kind === "any" ? undefined : eq(images.kind, kind), isNull(images.deletedAt));
  const [image] = await tx
    .select()
    .from(images)
    .where(and(isMeant, isOffered))
    .orderBy(
      sql`${images.name} = ${String(wanted)} desc`,
      sql`${images.arch} in (select ${hosts.report} ->> 'arch' from ${hosts}) desc`,
      sql`${images.name} <> ${String(wanted)} and ${images.source} ->> 'type' = 'built'`,
      desc(images.createdAt),
      desc(images.id),
    )
    .limit(1)
    .for("key share");
  if (image) return image;
  const known = await tx.selectDistinct({ name: images.name }).from(images).where(isOffered);
  const hint = known.length > 0 ? `Known images: ${known.map(({ name }) => name).join(", ")}.` : "None is there yet.";
  const message = `There is no ${kind === "iso" ? "ISO image" : "image"} ${wanted}. ${hint}`;
  throw new CumulusError("bad_request", message, { fields: { [field]: message } });
}

/** Lets a request that names an image which isn't here, but could be, say how to add it. */
export async function withCatalogueHint<T>(
  context: Context,
  wanted: string | number | undefined,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const isUnknown = error instanceof CumulusError && error.code === "bad_request" && error.fields?.image;
    const entry = isUnknown && typeof wanted === "string" ? await hintedCatalogueEntry(context, wanted) : undefined;
    if (!entry) throw error;
    const message = `${entry.title} is in the catalogue, and not here yet: add it on the page Images, or by POST /api/images with {"catalogue": "${entry.id}"}.`;
    throw new CumulusError("bad_request", message, { fields: { image: message } });
  }
}
