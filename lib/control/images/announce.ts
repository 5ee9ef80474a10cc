import type { Queryable } from "../../db/client";
import { announce } from "../changes";
import { imagesOfSameFile } from "./users";
import type { ImageRow } from "./view";

/** Tells that an image changed, and with it those that share its file: each says which others there are. */
export async function announceImage(tx: Queryable, image: Pick<ImageRow, "id" | "sha256">): Promise<void> {
  for (const { id } of [image, ...(await imagesOfSameFile(tx, image))]) await announce(tx, { kind: "image", id });
}
