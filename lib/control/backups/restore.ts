import { z } from "zod";
import { imageManifestSchema } from "../../domain/image";
import type { Operation } from "../../domain/operation";
import { vmDescriptionSchema } from "../../domain/vmDescription";
import type { Actor, Context } from "../context";
import { freeImageName } from "../images/freeName";
import { takeUpImage } from "../images/takeUp";
import { holdNetwork } from "../networks/networks";
import { actorName, getOperation } from "../operations";
import type { TaskEffects } from "../tasks/effects";
import { requestTask } from "../tasks/request";
import { assertNameFree } from "../vms/insert";
import { remakeParamsSchema, remakeVm } from "../vms/remake";
import { getRepositoryRow } from "./repositories";
import { refuseWhileTakenOut } from "./restoring";

const restoredSchema = z.object({ manifest: imageManifestSchema, description: vmDescriptionSchema });

/**
 * Asks for a copy to become a new VM: its disk becomes an image, and a VM of that image is created with the size and the SSH keys that the old one
 * had, in the network that is named, or else its own. Needs nothing but the repository.
 * @throws `not_found` for no such repository, `bad_request` for no such network, `conflict` when the name is taken, or while the copy is being removed
 */
export async function restoreBackup(
  context: Context,
  actor: Actor,
  repositoryId: number,
  ask: { key: string; name: string; network?: string | undefined },
): Promise<Operation> {
  const operation = await context.db.transaction(async (tx) => {
    const { access } = await getRepositoryRow(tx, repositoryId);
    await refuseWhileTakenOut(tx, ask.key);
    await assertNameFree(tx, ask.name);
    if (ask.network !== undefined) await holdNetwork(tx, ask.network);
    // Of its own: who names an image that is there already would get this one from then on.
    const imageName = await freeImageName(tx, ask.name);
    return requestTask(tx, {
      kind: "backup-restore",
      taskKind: "backup-restore",
      params: { access, key: ask.key, imageName, network: ask.network ?? null },
      actor: actorName(actor),
      subject: ask.name,
    });
  });
  return getOperation(context, operation.id);
}

/** What the end of a restore changes: an image, and a VM of it. */
export const backupRestoreEffects: TaskEffects = {
  async onDone(_context, tx, operation, result) {
    const { manifest, description } = restoredSchema.parse(result);
    const imageId = await takeUpImage(tx, manifest);
    const { network } = remakeParamsSchema.parse(operation.taskParams);
    const name = operation.subject ?? description.name;
    const made = await remakeVm(tx, operation, { name, imageId, description, network });
    if ("vmId" in made) {
      return { message: `${name} is being created from it.`, result: { imageId, vmId: made.vmId } };
    }
    const error = `Its disk is there as the image ${manifest.name}, but no VM could be created: ${made.whyNot}`;
    return { message: "The copy was read.", error, result: { imageId } };
  },
};
