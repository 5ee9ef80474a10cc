import type { Queryable } from "../../db/client";
import type { OperationKind } from "../../domain/operation";
import { copyEffects } from "../backups/copy";
import { copyRemovalEffects } from "../backups/copyRemoval";
import { backupRestoreEffects } from "../backups/restore";
import type { Context } from "../context";
import { imageCustomized, imageMade, imageRemoved } from "../images/effects";
import type { OperationRow } from "../operations";
import { exportEffects } from "../snapshots/exportEffects";
import { removeEffects } from "../snapshots/removeEffects";
import { restoreEffects } from "../snapshots/restoreEffects";
import { takeEffects } from "../snapshots/takeEffects";
import { importEffects } from "../vms/import";

/** What the end of a task changes in the database, in the transaction that writes down that it ended. */
export interface TaskEffects {
  /**
   * @param result what the agent's task returned, to be checked by a schema
   * @returns what the operation says: a sentence, and what came out
   */
  onDone(context: Context, tx: Queryable, operation: OperationRow, result: unknown): Promise<TaskOutcome>;
  /** It failed or was cancelled, and the host must be asked something first: outside of the transaction, since others wait for its rows. May be called again. */
  beforeFailed?(context: Context, operation: OperationRow): Promise<void>;
  /** It failed or was cancelled: what was written down for it is taken back. @param reason a sentence for users @returns one that the operation adds */
  onFailed?(context: Context, tx: Queryable, operation: OperationRow, reason: string): Promise<string | undefined>;
}

export interface TaskOutcome {
  message: string;
  /** The host's part is done, but not all that was asked for came of it: the operation has failed with this sentence. */
  error?: string;
  result: Record<string, unknown> | null;
}

/** By kind of operation. A kind that is not here changes nothing but its own row. */
export const taskEffects: Partial<Record<OperationKind, TaskEffects>> = {
  "image-download": imageMade,
  "image-upload": imageMade,
  "image-build": imageMade,
  "image-capture": imageMade,
  "image-customize": imageCustomized,
  "image-remove": imageRemoved,
  "snapshot-take": takeEffects,
  "snapshot-restore": restoreEffects,
  "snapshot-remove": removeEffects,
  export: exportEffects,
  import: importEffects,
  backup: copyEffects,
  "backup-restore": backupRestoreEffects,
  "backup-remove": copyRemovalEffects,
};
