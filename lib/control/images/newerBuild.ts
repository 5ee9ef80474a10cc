import { eq } from "drizzle-orm";
import { images } from "../../db/schema/images";
import { CumulusError } from "../../domain/errors";
import type { ImageDetail } from "../../domain/imageDetail";
import type { PublishedBuild } from "../../domain/publishedBuild";
import type { Context } from "../context";
import { announceImage } from "./announce";
import { getImage, getImageRow } from "./view";

/**
 * Asks the maker of a catalogue's image what it publishes now, and keeps the answer with the image, or why there was none.
 * @throws `not_found`; `wrong_state` for an image that is from no catalogue
 */
export async function askForNewerBuild(context: Context, id: number): Promise<ImageDetail> {
  const { source, name, published: before } = await getImageRow(context.db, id);
  if (source.type !== "catalogue") {
    throw new CumulusError("wrong_state", `${name} is not from the catalogue: nobody publishes newer builds of it.`);
  }
  const answer = await ask(context, source.catalogueId);
  const published = {
    askedAt: new Date().toISOString(),
    ...answer,
    checksum: answer.checksum ?? before?.checksum ?? null,
  };
  await context.db.transaction(async (tx) => {
    const [row] = await tx.update(images).set({ published }).where(eq(images.id, id)).returning();
    if (row) await announceImage(tx, row);
  });
  return getImage(context, id);
}

async function ask({ agent }: Context, catalogueId: string): Promise<Omit<PublishedBuild, "askedAt">> {
  try {
    return { checksum: await agent.publishedChecksum(catalogueId), problem: null };
  } catch (error) {
    if (!(error instanceof CumulusError)) throw error;
    return { checksum: null, problem: error.message };
  }
}
