import { z } from "zod";
import { changeRepository } from "../../control/backups/changeRepository";
import { copyAgain } from "../../control/backups/copyAgain";
import { backUpNow } from "../../control/backups/manual";
import { getPolicy, putPolicy, removePolicy } from "../../control/backups/policies";
import { removeBackup } from "../../control/backups/remove";
import { removeStoredBackup } from "../../control/backups/removeStored";
import {
  createRepository,
  forgetRepository,
  listRepositories,
  listStoredBackups,
} from "../../control/backups/repositories";
import { restoreBackup } from "../../control/backups/restore";
import { listBackups } from "../../control/backups/view";
import {
  backupRepositorySchema,
  backupSchema,
  changeBackupRepositorySchema,
  createBackupRepositorySchema,
  storedBackupSchema,
} from "../../domain/backup";
import { backupPolicySchema } from "../../domain/backupPolicy";
import { operationSchema } from "../../domain/operation";
import { vmNameSchema } from "../../domain/vm";
import { remadeNetworkSchema } from "../../domain/vmDescription";
import { endpoint } from "../endpoint";
import { idempotencyKeyOf } from "../idempotencyKey";
import { asList, idParams, idSchema, listOf } from "../shapes";

const tag = "Backups";
const policyState = z.object({
  policy: backupPolicySchema.nullable(),
  nextAt: z.iso.datetime().nullable().meta({ description: "When the next snapshot is due." }),
});

export const getBackupPolicyEndpoint = endpoint({
  method: "GET",
  path: "/api/vms/{id}/backup-policy",
  tag,
  summary: "Get a VM's backup policy",
  params: idParams,
  response: policyState,
  handle: ({ context, params }) => getPolicy(context, params.id),
});

export const putBackupPolicyEndpoint = endpoint({
  method: "PUT",
  path: "/api/vms/{id}/backup-policy",
  tag,
  summary: "Back a VM up by schedule",
  description:
    "Snapshots hourly, daily or weekly by the clock of a time zone, each with its own number to keep, and a copy of each in a repository if one is named. What was missed while the installation was off is caught up once.",
  params: idParams,
  body: backupPolicySchema,
  response: policyState,
  handle: ({ context, params, body }) => putPolicy(context, params.id, body),
});

export const deleteBackupPolicyEndpoint = endpoint({
  method: "DELETE",
  path: "/api/vms/{id}/backup-policy",
  tag,
  summary: "Stop backing a VM up by schedule",
  description: "Backups that are there stay.",
  params: idParams,
  handle: ({ context, params }) => removePolicy(context, params.id),
});

export const listBackupsEndpoint = endpoint({
  method: "GET",
  path: "/api/vms/{id}/backups",
  tag,
  summary: "List a VM's backups",
  params: idParams,
  response: listOf(backupSchema),
  handle: async ({ context, params }) => asList(await listBackups(context, params.id)),
});

export const backUpNowEndpoint = endpoint({
  method: "POST",
  path: "/api/vms/{id}/backups",
  tag,
  summary: "Back a VM up now",
  description:
    "Copies the VM, as it is now, to a repository and reads the copy back. The VM runs on. An `Idempotency-Key` header makes repeating safe.",
  params: idParams,
  body: z.strictObject({ repository: z.number().int().positive() }),
  response: backupSchema,
  status: 202,
  handle: ({ context, actor, params, body, request }) =>
    backUpNow(context, actor, params.id, body.repository, idempotencyKeyOf(request)),
});

export const deleteBackupEndpoint = endpoint({
  method: "DELETE",
  path: "/api/vms/{id}/backups/{backup}",
  tag,
  summary: "Remove a backup",
  description:
    "Its snapshot and its copy. The operations say when each is gone; there is none for what it hasn't, and none yet for a snapshot from which a VM is about to start, or which is being restored: that goes afterwards.",
  params: z.object({ id: idSchema, backup: idSchema }),
  response: listOf(operationSchema),
  status: 202,
  handle: async ({ context, actor, params }) => asList(await removeBackup(context, actor, params.id, params.backup)),
});

export const copyBackupAgainEndpoint = endpoint({
  method: "POST",
  path: "/api/vms/{id}/backups/{backup}/copy",
  tag,
  summary: "Copy a backup again",
  description:
    "One whose copy failed, from the snapshot that is still there. By itself that is tried once after an hour, and once more when another copy has reached the repository.",
  params: z.object({ id: idSchema, backup: idSchema }),
  body: z.strictObject({}),
  response: backupSchema,
  status: 202,
  handle: ({ context, actor, params }) => copyAgain(context, actor, params.id, params.backup),
});

export const listBackupRepositoriesEndpoint = endpoint({
  method: "GET",
  path: "/api/backup-repositories",
  tag,
  summary: "List backup repositories",
  response: listOf(backupRepositorySchema),
  handle: async ({ context }) => asList(await listRepositories(context)),
});

export const createBackupRepositoryEndpoint = endpoint({
  method: "POST",
  path: "/api/backup-repositories",
  tag,
  summary: "Add a backup repository",
  description:
    "A folder of the host that is empty, or a bucket of a store that speaks S3; or one that holds backups already, with its password. Keep the password elsewhere too: without it nobody can restore anything.",
  body: createBackupRepositorySchema,
  response: backupRepositorySchema,
  status: 201,
  handle: ({ context, body }) => createRepository(context, body),
});

export const changeBackupRepositoryEndpoint = endpoint({
  method: "PATCH",
  path: "/api/backup-repositories/{id}",
  tag,
  summary: "Change a backup repository",
  description:
    "Its name, or what opens it: the place to which it was moved, a key or a password that was changed there. It is opened so before anything is kept, and must be the same repository, which holds the backups that were copied to it. What is not given stays, the secret key too.",
  params: idParams,
  body: changeBackupRepositorySchema,
  response: backupRepositorySchema,
  handle: ({ context, params, body }) => changeRepository(context, params.id, body),
});

export const deleteBackupRepositoryEndpoint = endpoint({
  method: "DELETE",
  path: "/api/backup-repositories/{id}",
  tag,
  summary: "Forget a backup repository",
  description: "What is in it stays where it is, and can be added again.",
  params: idParams,
  handle: ({ context, params }) => forgetRepository(context, params.id),
});

export const listStoredBackupsEndpoint = endpoint({
  method: "GET",
  path: "/api/backup-repositories/{id}/backups",
  tag,
  summary: "List what is in a repository",
  description: "As the repository says: also backups of VMs that are gone, and of other installations.",
  params: idParams,
  response: listOf(storedBackupSchema),
  handle: async ({ context, params }) => asList(await listStoredBackups(context, params.id)),
});

export const deleteStoredBackupEndpoint = endpoint({
  method: "DELETE",
  path: "/api/backup-repositories/{id}/backups/{key}",
  tag,
  summary: "Remove a backup from a repository",
  description:
    "Also of a VM that is gone, or of another installation. A snapshot that it was made from stays; the operation says when the copy is gone.",
  params: z.object({ id: idSchema, key: storedBackupSchema.shape.key }),
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, params }) => removeStoredBackup(context, actor, params.id, params.key),
});

export const restoreBackupEndpoint = endpoint({
  method: "POST",
  path: "/api/backup-repositories/{id}/restore",
  tag,
  summary: "Restore a backup into a new VM",
  description:
    "The disk becomes an image, and a VM of it is created with the size, the network and the SSH keys of the old one.",
  params: idParams,
  body: z.strictObject({ backup: storedBackupSchema.shape.key, name: vmNameSchema, network: remadeNetworkSchema }),
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, params, body: { backup: key, ...rest } }) =>
    restoreBackup(context, actor, params.id, { key, ...rest }),
});
