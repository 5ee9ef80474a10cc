import type { Readable } from "node:stream";
import { readHead } from "../../archives/readHead";
import type { Queryable } from "../../db/client";
import { CumulusError } from "../../domain/errors";
import { imageManifestSchema } from "../../domain/image";
import type { Operation } from "../../domain/operation";
import type { ImportVm } from "../../domain/vmArchive";
import { type VmDescription, vmDescriptionSchema } from "../../domain/vmDescription";
import type { Actor, Context } from "../context";
import { freeImageName } from "../images/freeName";
import { requestImageRemoval } from "../images/remove";
import { takeUpImage } from "../images/takeUp";
import { sendToTask } from "../images/upload";
import { holdNetwork } from "../networks/networks";
import { actorName } from "../operations";
import type { TaskEffects } from "../tasks/effects";
import { requestTask } from "../tasks/request";
import { admitVm } from "./admit";
import { assertNameFree } from "./insert";
import { remakeParamsSchema, remakeVm } from "./remake";

/** What the end must know. The agent takes of it what it needs. */
const paramsSchema = remakeParamsSchema.extend({ description: vmDescriptionSchema });

/**
 * Takes an archive as it comes, and makes a VM of it. What the archive says of its VM comes first, and is looked at before the rest is taken. Done when the
 * host has all of it; the operation says when the VM is being created.
 * @throws `bad_request` for what is no archive, or describes no VM, and for no such network; `conflict` when the name is taken; `insufficient_capacity`; what the
 * host says of the file
 */
export async function importVm(
  context: Context,
  actor: Actor,
  { name: asked, network }: ImportVm,
  sent: { body: Readable; contentLength: number | null },
): Promise<Operation> {
  const { description, body } = await readHead(sent.body);
  const name = asked ?? description.name;
  try {
    const id = await context.db.transaction((tx) =>
      requestImport(tx, actorName(actor), { name, network, description }),
    );
    return await sendToTask(context, id, { ...sent, body });
  } catch (error) {
    body.destroy();
    throw error;
  }
}

async function requestImport(
  tx: Queryable,
  actor: string,
  { name, network, description }: { name: string; network: string | undefined; description: VmDescription },
): Promise<number> {
  await assertNameFree(tx, name);
  if (network !== undefined) await holdNetwork(tx, network);
  await admitVm(tx, description);
  // Of its own: who names an image that is there already would get this one from then on.
  // Not the archive's own choice: it may be of anybody, and VMs of a network reach each other.
  const params = { description, network: network ?? "default", imageName: await freeImageName(tx, name) };
  const { id } = await requestTask(tx, { kind: "import", taskKind: "vm-import", params, actor, subject: name });
  return id;
}

/** What the end of an import changes: an image, and a VM of it; or neither. */
export const importEffects: TaskEffects = {
  async onDone(_context, tx, operation, result) {
    const manifest = imageManifestSchema.parse(result);
    const { description, network } = paramsSchema.parse(operation.taskParams);
    const imageId = await takeUpImage(tx, manifest);
    const name = operation.subject ?? description.name;
    const made = await remakeVm(tx, operation, { name, imageId, description, network });
    if ("vmId" in made) {
      return { message: `${name} is being created from it.`, result: { imageId, vmId: made.vmId } };
    }
    await removeUnused(tx, operation.actor, imageId);
    const error = `Nothing was imported, since no VM could be created: ${made.whyNot}`;
    return { message: "The archive was read.", error, result: null };
  },
};

/** It stays if something needs it by now: a VM that was imported from the same archive at the same time, say. */
async function removeUnused(tx: Queryable, actor: string, imageId: number): Promise<void> {
  try {
    await requestImageRemoval(tx, actor, imageId);
  } catch (error) {
    if (!(error instanceof CumulusError)) throw error;
  }
}
