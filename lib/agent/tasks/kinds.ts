import { backup, backupRemove, backupRestore } from "./backupKinds";
import { diskExport } from "./exportKind";
import { imageBuild, imageCapture, imageDownload, imageRemove, imageUpload } from "./imageKinds";
import { vmImport } from "./importKind";
import type { AnyTaskKind } from "./kind";
import { imageCustomize } from "./recipeKind";
import { snapshotRemove, snapshotRestore, snapshotTake } from "./snapshotKinds";

/** Every kind of task that this agent can do, by the name under which it is asked for. */
export const taskKinds: Record<string, AnyTaskKind> = {
  "image-download": imageDownload,
  "image-upload": imageUpload,
  "image-build": imageBuild,
  "image-capture": imageCapture,
  "image-customize": imageCustomize,
  "image-remove": imageRemove,
  "snapshot-take": snapshotTake,
  "snapshot-restore": snapshotRestore,
  "snapshot-remove": snapshotRemove,
  "disk-export": diskExport,
  "vm-import": vmImport,
  backup,
  "backup-restore": backupRestore,
  "backup-remove": backupRemove,
};
