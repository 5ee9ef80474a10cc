import { CumulusError } from "../../domain/errors";
import type { Operation } from "../../domain/operation";
import type { Actor, Context } from "../context";
import { actorName, getOperation } from "../operations";
import { requestCopyRemoval } from "./copyRemoval";
import { getRepositoryRow } from "./repositories";
import { refuseWhileRestored } from "./restoring";

/**
 * Asks for a copy to be taken out of a repository, whoever made it: of a VM that is gone, say, or of another installation. Asked again while it is going, finds the
 * same operation.
 * @throws `not_found` for no such repository, or when that says that it has no such copy; `conflict` while it is being restored
 */
export async function removeStoredBackup(
  context: Context,
  actor: Actor,
  repositoryId: number,
  key: string,
): Promise<Operation> {
  const repository = await getRepositoryRow(context.db, repositoryId);
  const stored = await context.agent.listBackups(repository.access);
  if (!stored.some((copy) => copy.key === key)) {
    throw new CumulusError("not_found", `There is no backup ${key} in ${repository.name}.`);
  }
  const operation = await context.db.transaction(async (tx) => {
    await refuseWhileRestored(tx, key);
    return requestCopyRemoval(tx, actorName(actor), repository, key);
  });
  return getOperation(context, operation.id);
}
