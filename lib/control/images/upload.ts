import { Readable } from "node:stream";
import { CumulusError } from "../../domain/errors";
import { type ImageUpload, importedImageSchema } from "../../domain/imageImport";
import { importedImageOf, type UploadImage } from "../../domain/imageRequest";
import type { Operation } from "../../domain/operation";
import type { Actor, Context } from "../context";
import { actorName, getOperation } from "../operations";
import { cancelOperation, requestTask } from "../tasks/request";
import { hostArch } from "./request";

/** A file as it is sent. */
export interface SentFile {
  body: Readable;
  /** Null where the sender didn't say. */
  contentLength: number | null;
}

/**
 * Hands a file on to the host as it comes, holding none of it. Done when the host has all of it; the operation says when it is an image.
 * @throws what the host says of the file: `too_large`, `bad_request`, `insufficient_capacity`
 */
export async function uploadImage(
  context: Context,
  actor: Actor,
  said: UploadImage,
  sent: SentFile,
): Promise<Operation> {
  const { fileName, checksum = null, ...described } = said;
  const image = importedImageSchema.parse(
    importedImageOf(described, { name: fileName, hostArch: await hostArch(context) }),
  );
  const params: ImageUpload = { fileName, checksum, image };
  const { id } = await context.db.transaction((tx) =>
    requestTask(tx, {
      kind: "image-upload",
      taskKind: "image-upload",
      params,
      actor: actorName(actor),
      subject: image.name,
    }),
  );
  return sendToTask(context, id, sent);
}

/**
 * Brings a file to the host's task that waits for it. Done when the task has all of it.
 * @param id of the operation, which is cancelled when the file doesn't come, or its sender breaks off
 * @throws what the host says of the file
 */
export async function sendToTask(context: Context, id: number, { body, contentLength }: SentFile): Promise<Operation> {
  const sent = withBreakTold(body, () => breakOff(context, id));
  try {
    await context.agent.upload(id, sent, contentLength);
  } catch (error) {
    await giveUp(context, id);
    throw error;
  }
  return getOperation(context, id);
}

/** The same bytes; where they break off, `act` is done before the reader is told. */
function withBreakTold(body: Readable, act: () => Promise<void>): Readable {
  const told = Readable.from(
    (async function* () {
      try {
        yield* body;
      } catch (error) {
        await act();
        throw error;
      }
    })(),
    { objectMode: false },
  );
  // One that is destroyed may not have begun to read.
  told.once("close", () => body.destroy());
  return told;
}

/** Who sends has cancelled it, or is gone. The host hears that first: of a connection that breaks it could not tell why. */
async function breakOff(context: Context, id: number): Promise<void> {
  await giveUp(context, id);
  // Where the host can't be asked now, it is told of the cancellation when it is followed again.
  await context.agent.cancelTask(id).catch(() => undefined);
}

/** The task that waits for the file must not wait any longer. One that ended by itself has said why. */
async function giveUp(context: Context, id: number): Promise<void> {
  try {
    await cancelOperation(context, id);
  } catch (error) {
    if (!(error instanceof CumulusError)) throw error;
  }
}
