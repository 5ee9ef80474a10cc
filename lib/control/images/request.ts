import { createHash } from "node:crypto";
import type { Queryable } from "../../db/client";
import type { Arch } from "../../domain/arch";
import { CumulusError } from "../../domain/errors";
import { type ImageDownload, imageDownloadKey, importedImageSchema } from "../../domain/imageImport";
import { type CreateImage, importedImageOf } from "../../domain/imageRequest";
import type { Operation, OperationKind } from "../../domain/operation";
import { passwordTypedBy, withHashedPasswords } from "../../domain/recipe";
import type { Actor, Context } from "../context";
import { getHost } from "../hosts";
import { makeOnce } from "../idempotency";
import { actorName, getOperation } from "../operations";
import { requestTask, type TaskRequest } from "../tasks/request";
import { captureTask } from "./capture";
import { findCatalogueEntry } from "./catalogue";
import { recipeTask } from "./customize";

/** What the host is to do for an image, without who asked. */
export type ImageTask = Omit<TaskRequest, "actor" | "kind" | "taskKind"> & { kind: OperationKind & `image-${string}` };

/**
 * Asks the host for an image; the operation says when it is there. Two who ask for the same download, build or run of a recipe at once get one
 * operation.
 * @throws `bad_request` with fields
 */
export async function requestImage(
  context: Context,
  actor: Actor,
  input: CreateImage,
  idempotencyKey: string | null,
): Promise<Operation> {
  const prepared = await prepare(context, input);
  const once = { actor, key: idempotencyKey, request: withoutPasswords(input), makes: "operationId" } as const;
  const id = await makeOnce(context, once, async (tx) => askFor(tx, actor, await prepared(tx)));
  return getOperation(context, id);
}

/** What is kept of a request is a hash that is quick to guess, of which a password must not be a part. */
function withoutPasswords(input: CreateImage): unknown {
  if (typeof input.recipe !== "object") return input;
  const steps = input.recipe.steps.map((step) => (passwordTypedBy(step) === null ? step : { ...step, send: "" }));
  return { ...input, recipe: withHashedPasswords({ ...input.recipe, steps }, () => "") };
}

/** @returns the operation's id */
export async function askFor(tx: Queryable, actor: Actor, task: ImageTask): Promise<number> {
  const row = await requestTask(tx, { ...task, taskKind: task.kind, actor: actorName(actor) });
  return row.id;
}

/** What needs the host is looked up before the transaction, what needs rows within it. */
async function prepare(context: Context, input: CreateImage): Promise<(tx: Queryable) => Promise<ImageTask>> {
  const { catalogue, url, build, recipe, vm, snapshot } = input;
  const ready = (task: ImageTask) => async () => task;
  if (catalogue !== undefined) return ready(await catalogueTask(context, catalogue));
  if (url !== undefined) {
    await checkAddress(context, url);
    return ready(urlTask(input, await hostArch(context)));
  }
  if (build !== undefined) {
    const arch = input.arch ?? (await hostArch(context));
    if (build === "debian-12" && arch !== "x86_64") {
      const message = "debian-12 is built for x86_64 alone: add Debian from the catalogue instead.";
      throw new CumulusError("bad_request", message, { fields: { arch: message } });
    }
    return ready(buildTask(build, arch));
  }
  if (recipe !== undefined) {
    const host = await getHost(context);
    return (tx) => recipeTask(tx, input, host);
  }
  if (vm !== undefined || snapshot !== undefined) return (tx) => captureTask(tx, input);
  throw new CumulusError("bad_request", "Say where the image comes from.");
}

/** Downloads an entry's newest build. */
export async function catalogueTask(context: Context, entryId: string): Promise<ImageTask> {
  const entry = await findCatalogueEntry(context, entryId);
  return downloadTask({ from: "catalogue", catalogueId: entry.id }, entry.id);
}

export function downloadTask(params: ImageDownload, subject: string): ImageTask {
  // Hashed, since PostgreSQL's index takes no long text.
  const dedupKey = `image-download ${createHash("sha256").update(imageDownloadKey(params)).digest("hex")}`;
  return { kind: "image-download", params, subject, dedupKey, standsAlone: true };
}

export function buildTask(name: string, arch: Arch): ImageTask {
  const subject = `${name}, ${arch}`;
  const dedupKey = `image-build ${name} ${arch}`;
  return { kind: "image-build", params: { name, arch }, subject, dedupKey, standsAlone: true };
}

export async function hostArch(context: Context): Promise<Arch> {
  return (await getHost(context)).report?.arch ?? "x86_64";
}

/** Tells at once what the host would refuse. One that can't be asked now looks when it fetches, as it does in any case. */
async function checkAddress(context: Context, url: string): Promise<void> {
  try {
    await context.agent.checkImageAddress(url);
  } catch (error) {
    if (error instanceof CumulusError && error.code === "bad_request") throw error;
  }
}

function urlTask({ url = "", checksum, name = "", ...said }: CreateImage, arch: Arch): ImageTask {
  const path = URL.canParse(url) ? new URL(url).pathname : url;
  const image = importedImageSchema.parse(importedImageOf({ ...said, name }, { name: path, hostArch: arch }));
  return downloadTask({ from: "url", url, checksum: checksum ?? null, image }, name);
}
