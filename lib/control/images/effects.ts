import { eq } from "drizzle-orm";
import { z } from "zod";
import { images } from "../../db/schema/images";
import { imageManifestSchema } from "../../domain/image";
import { recipeSchema } from "../../domain/recipe";
import { formatBytes } from "../../domain/units";
import type { TaskEffects } from "../tasks/effects";
import { announceImage } from "./announce";
import { lockImages } from "./lock";
import { takeUpImage } from "./takeUp";
import { imagesOfSameFile } from "./users";

/** An image is there. */
export const imageMade: TaskEffects = {
  onDone: async (_context, tx, _operation, result) => {
    const manifest = imageManifestSchema.parse(result);
    const imageId = await takeUpImage(tx, manifest);
    const [other] = await imagesOfSameFile(tx, { id: imageId, sha256: manifest.sha256 });
    const size = other
      ? `it has the same bytes as ${other.name}, whose file it shares`
      : formatBytes(manifest.fileBytes);
    return { message: `${manifest.title} is here: ${size}.`, result: { imageId } };
  },
};

/** An image is there that a recipe made: the recipe is kept with it. */
export const imageCustomized: TaskEffects = {
  onDone: async (context, tx, operation, result) => {
    const outcome = await imageMade.onDone(context, tx, operation, result);
    const { imageId } = z.object({ imageId: z.number() }).parse(outcome.result);
    const recipe = recipeSchema.parse(operation.taskParams?.recipe);
    await tx.update(images).set({ recipe }).where(eq(images.id, imageId));
    return outcome;
  },
};

const removedSchema = z.object({ imageId: z.number().int(), sha256: z.string() });

/** An image's file is gone, or else the image is back on the list. */
export const imageRemoved: TaskEffects = {
  onDone: async (_context, tx, operation) => {
    // From here on, whoever listed the host's images before has written them down.
    await lockImages(tx, "exclusive");
    return { message: `${operation.subject} is removed.`, result: null };
  },
  onFailed: async (_context, tx, operation) => {
    const { imageId, sha256 } = removedSchema.parse(operation.taskParams);
    await tx.update(images).set({ deletedAt: null }).where(eq(images.id, imageId));
    await announceImage(tx, { id: imageId, sha256 });
  },
};
