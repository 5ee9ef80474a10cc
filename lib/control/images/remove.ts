import { and, eq, isNull } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { images } from "../../db/schema/images";
import { CumulusError } from "../../domain/errors";
import type { Operation } from "../../domain/operation";
import type { Actor, Context } from "../context";
import { actorName, getOperation } from "../operations";
import { requestTask } from "../tasks/request";
import { announceImage } from "./announce";
import { removalKey } from "./takeUp";
import { operationsOnImage, usersOfImage, whyImageIsHeld } from "./users";
import { imageNotFound } from "./view";

/**
 * Takes an image off the list at once, so that no new VM gets it; the operation says when its file is gone, or stays for images of other names.
 * @throws `not_found`; `conflict` while something holds on to it, saying what
 */
export async function removeImage(context: Context, actor: Actor, id: number): Promise<Operation> {
  const operationId = await context.db.transaction((tx) => requestImageRemoval(tx, actorName(actor), id));
  return getOperation(context, operationId);
}

/** The same within a transaction. @param actor as an operation names whom it is for @returns the operation's id */
export async function requestImageRemoval(tx: Queryable, actor: string, id: number): Promise<number> {
  // Whoever makes a VM of it holds the row until that VM is written: it is seen below.
  const [image] = await tx
    .select()
    .from(images)
    .where(and(eq(images.id, id), isNull(images.deletedAt)))
    .for("update");
  if (!image) throw imageNotFound(id);
  const why = whyImageIsHeld(image.kind, await usersOfImage(tx, image));
  if (why) throw new CumulusError("conflict", why);
  const [operation] = await operationsOnImage(tx, image);
  if (operation !== undefined) {
    throw new CumulusError("conflict", `Operation ${operation} makes another image from this one: wait for its end.`);
  }
  await tx.update(images).set({ deletedAt: new Date() }).where(eq(images.id, id));
  await announceImage(tx, image);
  const task = await requestTask(tx, {
    kind: "image-remove",
    taskKind: "image-remove",
    params: { sha256: image.sha256, name: image.name, imageId: id },
    actor,
    subject: image.name,
    dedupKey: removalKey(image),
  });
  return task.id;
}
