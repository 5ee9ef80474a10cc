import * as z from "zod";
import { backupTiers } from "./backupPolicy";
import { lineSchema } from "./humanText";

const name = lineSchema(60);
const password = z.string().min(8, "Use at least 8 characters.").max(256);

const path = z
  .string()
  .max(1024)
  .regex(/^\/[^\0]+$/, "Give an absolute path of the host.");

const address = z
  .url({ protocol: /^https?$/, abort: true, error: "Give an address such as https://s3.eu-central-1.amazonaws.com." })
  .max(512);

/** An S3 store's address: nothing of it but the scheme, the host and the port is a store's, and a password in it would be shown. */
const endpoint = address
  .refine((text) => isOrigin(text), "Give no more than https://, the host and a port.")
  .transform((text) => new URL(text).origin);

function isOrigin(text: string): boolean {
  const { pathname, search, hash, username, password } = new URL(text);
  return [pathname.replace(/^\/+$/, ""), search, hash, username, password].every((part) => part === "");
}

const dottedPath = z.string().regex(/^[\w./-]{0,200}$/, "Use letters, digits, dots, dashes and slashes.");

const prefix = dottedPath
  .refine((path) => !path.split("/").some((name) => /^\.+$/.test(name)), "A folder can't be called by dots alone.")
  .transform((path) => path.split("/").filter(Boolean).join("/"));

const folderPlaceSchema = z.strictObject({
  kind: z.literal("folder"),
  // With a link before it, `..` names another folder than it seems to.
  path: path.refine(
    (text) => !text.split("/").some((name) => name === "." || name === ".."),
    'Give the path without "." and "..", as `realpath` prints it.',
  ),
});

const bucketPlaceSchema = z.strictObject({
  kind: z.literal("s3"),
  /** `https://s3.eu-central-1.amazonaws.com`, `http://nas.local:9000` */
  endpoint,
  bucket: z.string().regex(/^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "Give the bucket's name."),
  prefix: prefix.default(""),
  accessKeyId: z.string().min(1).max(256),
  secretAccessKey: z.string().min(1).max(256),
});

/** Where copies lie: a folder of the host (a mounted disk, say), or a bucket of any store that speaks S3. */
export const backupPlaceSchema = z.discriminatedUnion("kind", [folderPlaceSchema, bucketPlaceSchema]);
export type BackupPlace = z.infer<typeof backupPlaceSchema>;

/** For people, and the same for two places that are one: the path, or the bucket's URL. */
export function locationOf(place: BackupPlace): string {
  if (place.kind === "folder") return place.path.replace(/\/+/g, "/").replace(/(.)\/$/, "$1");
  return [place.endpoint, place.bucket, ...place.prefix.split("/")]
    .map((part) => part.replace(/\/+$/, ""))
    .filter(Boolean)
    .join("/");
}

/** `POST /api/backup-repositories`. All that is in it is encrypted with the password: without that, nobody can restore it. */
export const createBackupRepositorySchema = z
  .strictObject({ name, password, place: backupPlaceSchema })
  .meta({ id: "CreateBackupRepository" });
export type CreateBackupRepository = z.infer<typeof createBackupRepositorySchema>;

/** `PATCH /api/backup-repositories/{id}`: what is not given stays as it is, a bucket's secret key too. */
export const changeBackupRepositorySchema = z
  .strictObject({
    name: name.optional(),
    password: password.optional(),
    place: z
      .discriminatedUnion("kind", [
        folderPlaceSchema,
        bucketPlaceSchema.extend({
          prefix: prefix.optional(),
          secretAccessKey: bucketPlaceSchema.shape.secretAccessKey.optional(),
        }),
      ])
      .optional(),
  })
  .meta({ id: "ChangeBackupRepository" });
export type ChangeBackupRepository = z.infer<typeof changeBackupRepositorySchema>;

/** A place as it is kept. An earlier version took more than is taken now, endpoints with a path say: what was kept there stays within reach. */
const keptPlaceSchema: z.ZodType<BackupPlace> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("folder"), path }),
  z.object({
    kind: z.literal("s3"),
    endpoint: address,
    bucket: z.string().regex(/^[a-z0-9.-]{3,63}$/),
    prefix: dottedPath.default(""),
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
  }),
]);

/** What a host needs to use a repository. */
export const repositoryAccessSchema = z.object({ place: keptPlaceSchema, password: z.string() });
export type RepositoryAccess = z.infer<typeof repositoryAccessSchema>;

export const backupRepositorySchema = z
  .object({
    id: z.number().int(),
    name: z.string(),
    kind: z.enum(["folder", "s3"]),
    place: z
      .discriminatedUnion("kind", [
        z.object({ kind: z.literal("folder"), path: z.string() }),
        z.object({
          kind: z.literal("s3"),
          ...{ endpoint: z.string(), bucket: z.string(), prefix: z.string(), accessKeyId: z.string() },
        }),
      ])
      .meta({ description: "Without the secret key." }),
    /** For people: the path, or the bucket's URL. */
    location: z.string(),
    /** Policies that copy to it. */
    policyCount: z.number().int(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "BackupRepository" });
export type BackupRepository = z.infer<typeof backupRepositorySchema>;

/** A copy as the repository itself lists it. */
export const storedBackupSchema = z
  .object({
    /** The repository's own id of it (restic's, 64 hexadecimal digits). */
    key: z.string().regex(/^[0-9a-f]{64}$/),
    vmName: z.string(),
    takenAt: z.iso.datetime(),
  })
  .meta({ id: "StoredBackup" });
export type StoredBackup = z.infer<typeof storedBackupSchema>;

/** What a host made of a copy that it was asked for. */
export const backupCopySchema = z.object({
  key: storedBackupSchema.shape.key,
  /** The disk as it was handed over. */
  diskBytes: z.number().int(),
  /** What the repository grew by. */
  addedBytes: z.number().int(),
  /** When it was read back from the repository and found the same. */
  verifiedAt: z.iso.datetime(),
});
export type BackupCopy = z.infer<typeof backupCopySchema>;

export const backupSchema = z
  .object({
    id: z.number().int(),
    vm: z.object({ id: z.number().int(), name: z.string() }),
    tier: z.enum([...backupTiers, "manual"]),
    dueAt: z.iso.datetime().meta({ description: "When it was to be taken; by hand, when it was asked for." }),
    takenAt: z.iso.datetime().nullable().meta({
      description: "When its snapshot was taken, later than it was due if that was missed; null as long as it is not.",
    }),
    /** The snapshot on this host; null once it is gone. */
    snapshotId: z.number().int().nullable(),
    repositoryId: z.number().int().nullable(),
    copy: backupCopySchema.nullable(),
    status: z.enum(["taking", "copying", "done", "failed"]),
    error: z.string().nullable(),
    /** The open operation: first the one that takes the snapshot, then the one that copies it. */
    operationId: z.number().int().nullable(),
  })
  .meta({ id: "Backup" });
export type Backup = z.infer<typeof backupSchema>;

/** Why a backup that failed can't be copied again, as a sentence for users; undefined when it can. */
export function whyNotCopiedAgain({ snapshotId, repositoryId }: Backup): string | undefined {
  if (snapshotId === null) return "There is no snapshot to copy: back the VM up anew.";
  if (repositoryId === null) return "Its repository was forgotten: back the VM up anew.";
  return undefined;
}
